#include "train/int8_ranges.h"

#include <algorithm>
#include <cmath>

#include "registry/shape_text.h"
#include "train/not_finite.h"

namespace plait::inline train {
namespace {

const float* values_of(const BlockView& view, int tensor) {
  const int part = view.plan.network().tensors[static_cast<size_t>(tensor)].part;
  return static_cast<const float*>(part >= 0 ? view.batch.parts[static_cast<size_t>(part)]
                                             : view.replica.tensor(tensor));
}

struct Ends {
  float low = 0, high = 0;
  bool is_finite = true;
};

Ends ends_of(const std::vector<float>& values) {
  Ends ends;
  for (const float x : values) {
    ends.low = std::min(ends.low, x);
    ends.high = std::max(ends.high, x);
    ends.is_finite &= std::isfinite(x);
  }
  return ends;
}

Status not_finite(const BlockView& view) {
  PLAIT_ASSIGN(const std::string where, first_not_finite(view.plan, view.replica, view.batch, view.stream));
  return {Code::kNumeric, where + " has NaN or infinity, in records " + std::to_string(view.first_record) +
                              " to " + std::to_string(view.first_record + view.count - 1) +
                              " of those that ranges are measured on; wanted finite numbers"};
}

}  // namespace

Int8Ranges::Int8Ranges(const Plan& plan) : plan_(plan) {
  for (size_t step = 0; step < plan.steps().size(); ++step) {
    const Step& of = plan.steps()[step];
    const std::string& layer = plan.network().nodes[static_cast<size_t>(of.node)].layer->name;
    for (const uint32_t input : of.takes_int8) wanted_.push_back({step, input, layer});
  }
  ends_.resize(2 * wanted_.size());
}

Status Int8Ranges::add(const BlockView& view) {
  std::vector<float> values;
  std::vector<double> ends;
  for (const Wanted& wanted : wanted_) {
    const int tensor = view.plan.steps()[wanted.step].inputs[wanted.input];
    values.resize(element_count(view.plan.network().tensors[static_cast<size_t>(tensor)].spec.shape));
    PLAIT_TRY(view.stream.copy_out(values.data(), values_of(view, tensor), values.size() * sizeof(float)));
    PLAIT_TRY(view.stream.synchronize());
    const Ends found = ends_of(values);
    if (!found.is_finite) return not_finite(view);
    ends.push_back(-static_cast<double>(found.low));
    ends.push_back(found.high);
  }
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < ends.size(); ++i) ends_[i] = std::max(ends_[i], ends[i]);
  return {};
}

Status Int8Ranges::share(Transport& transport) { return transport.all_reduce_max(std::span(ends_)); }

void Int8Ranges::put(std::vector<LayerSpec>& layers) const {
  for (size_t i = 0; i < wanted_.size(); ++i) {
    const auto layer = std::ranges::find(layers, wanted_[i].layer, &LayerSpec::name);
    if (layer == layers.end()) continue;
    // 0 - x: a range that begins at zero is said to begin at 0, not at -0.
    layer->ranges.push_back({wanted_[i].input, 0 - ends_[2 * i], ends_[2 * i + 1], layer->where});
  }
}

Status check_trains_in_f32(const Job& job) {
  for (const LayerSpec& layer : job.layers)
    if (!layer.ranges.empty())
      return {Code::kInvalid, "layer \"" + layer.name + "\" (" + layer.where.text() +
                                  "): got an int8 block, which computes on 8-bit integers what is trained; "
                                  "wanted none to train: evaluate and predict use it"};
  return {};
}

}  // namespace plait::inline train
