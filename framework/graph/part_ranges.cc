#include "graph/part_ranges.h"

#include <fmt/format.h>

#include <cmath>

#include "plan/layer_order.h"

namespace plait::inline graph {
namespace {

// Where a sample's numbers are: `outer` runs of `extent` steps of `inner` numbers, of which `used` steps mean
// something.
struct Runs {
  uint64_t outer = 1, extent = 1, inner = 1, used = 1;
};

Runs runs_of(const plait_tensor& tensor, size_t sample) {
  Runs runs;
  const int axis = tensor.variable_axis;
  for (int i = 1; i < tensor.rank; ++i) {
    uint64_t& product = axis < 0 || i > axis ? runs.inner : i == axis ? runs.extent : runs.outer;
    product *= static_cast<uint64_t>(tensor.shape[i]);
  }
  runs.used =
      axis >= 0 && tensor.lengths != nullptr ? static_cast<uint64_t>(tensor.lengths[sample]) : runs.extent;
  return runs;
}

double number_at(const plait_tensor& tensor, uint64_t place) {
  if (tensor.dtype == PLAIT_I32) return static_cast<const int32_t*>(tensor.data)[place];
  if (tensor.dtype == PLAIT_I64) return static_cast<double>(static_cast<const int64_t*>(tensor.data)[place]);
  return static_cast<const float*>(tensor.data)[place];
}

bool is_within(const PartRange& range, double number) {
  if (range.is_weight) return std::isfinite(number) && number >= 0;
  return number >= static_cast<double>(range.low) && number < static_cast<double>(range.high) &&
         number == std::floor(number);
}

// The first place within sample `n` that is out of range, or -1.
int64_t bad_place(const PartRange& range, const plait_tensor& tensor, size_t n) {
  const Runs runs = runs_of(tensor, n);
  const uint64_t each = runs.outer * runs.extent * runs.inner, begin = n * each;
  for (uint64_t run = 0; run < runs.outer; ++run) {
    for (uint64_t k = 0; k < runs.used * runs.inner; ++k) {
      const uint64_t place = run * runs.extent * runs.inner + k;
      if (!is_within(range, number_at(tensor, begin + place))) return static_cast<int64_t>(place);
    }
  }
  return -1;
}

}  // namespace

std::vector<PartRange> part_ranges(const Network& network) {
  std::vector<PartRange> ranges;
  for (const NodeInfo& node : network.nodes) {
    for (const InputRange& range : node.input_ranges) {
      const int tensor = node.inputs[range.input];
      const int part = network.tensors[static_cast<size_t>(tensor)].part;
      if (part >= 0)
        ranges.push_back({static_cast<size_t>(part), range.low, range.high, layer_place(*node.layer)});
    }
  }
  for (const HeadInfo& loss : network.losses) {
    if (loss.weights < 0) continue;
    const int part = network.tensors[static_cast<size_t>(loss.weights)].part;
    const std::string place = fmt::format("loss \"{}\" ({})", loss.name, loss.plugin->where.text());
    ranges.push_back({static_cast<size_t>(part), 0, 0, place, true});
  }
  return ranges;
}

static std::string wanted_text(const PartRange& range) {
  if (range.is_weight) return "a weight, finite and not negative";
  return fmt::format("whole numbers {} .. {}", range.low, range.high - 1);
}

Status check_part_ranges(const std::vector<PartRange>& ranges, const plait_tensor* const* batch,
                         const std::function<std::string(size_t n)>& sample_name) {
  for (const PartRange& range : ranges) {
    const plait_tensor& tensor = *batch[range.part];
    const auto samples = static_cast<size_t>(tensor.shape[0]);
    for (size_t n = 0; n < samples; ++n) {
      const int64_t place = bad_place(range, tensor, n);
      if (place < 0) continue;
      const uint64_t each = runs_of(tensor, n).outer * runs_of(tensor, n).extent * runs_of(tensor, n).inner;
      return {Code::kInvalid,
              fmt::format("{} (place {} of the batch): part \"{}\", element {}, is {}; {} wants {}",
                          sample_name(n), n, tensor.name != nullptr ? tensor.name : "", place,
                          number_at(tensor, n * each + static_cast<uint64_t>(place)), range.wanted_by,
                          wanted_text(range))};
    }
  }
  return {};
}

}  // namespace plait::inline graph
