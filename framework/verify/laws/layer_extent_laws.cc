// The law of layers that take inputs of which one axis or two vary: padding changes nothing.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "graph/padding.h"
#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 16;
constexpr int64_t kRoom = 3;  // added to bounds: no multiple of what kernels like
constexpr uint32_t kCouples = PLAIT_VERIFY_COUPLES_SAMPLES | PLAIT_VERIFY_COUPLES_IN_TRAINING;

// Zeros may be added in between, and another kernel may be chosen: a few units of the last place of the
// largest term.
bool near(double a, double b, double scale) { return std::abs(a - b) <= 2e-5 * (scale + std::abs(a)); }

double largest(const std::vector<float>& values) {
  double most = 0;
  for (const float value : values) most = std::max(most, std::abs(static_cast<double>(value)));
  return most;
}

// Along the first variable axis of a tensor and the second, per sample; empty: all full.
using Extents = std::array<std::vector<int32_t>, 2>;

SampleGrid grid_of(const PartSpec& batch, const Extents& extents, size_t n) {
  plait_tensor tensor = tensor_of(batch);
  tensor.lengths = extents[0].empty() ? nullptr : extents[0].data();
  tensor.second_lengths = extents[1].empty() ? nullptr : extents[1].data();
  return SampleGrid::of(tensor, n);
}

void zero_past(const PartSpec& batch, const Extents& extents, float* values) {
  for (size_t n = 0; n < static_cast<size_t>(batch.shape[0]); ++n) {
    const SampleGrid grid = grid_of(batch, extents, n);
    grid.each_past(
        [&](uint64_t at, uint64_t count) { std::fill_n(values + n * grid.elements() + at, count, 0.0f); });
  }
}

// What of sample n means something, one after the other: the sample without padding.
std::vector<float> valid_of(const PartSpec& batch, const Extents& extents, size_t n, const float* values) {
  const SampleGrid grid = grid_of(batch, extents, n);
  std::vector<float> valid;
  grid.each_valid([&](uint64_t at, uint64_t count) {
    const float* const from = values + n * grid.elements() + at;
    valid.insert(valid.end(), from, from + count);
  });
  return valid;
}

std::vector<float> numbers_of(const Guarded& memory) {
  return {memory.as<float>(), memory.as<float>() + memory.bytes() / sizeof(float)};
}

// A sample of `from` at its place in memory of `to`, which has more room.
void put_sample(const PartSpec& from, const PartSpec& to, const Extents& extents, size_t n,
                const float* values, float* wide) {
  const std::vector<float> valid = valid_of(from, extents, n, values);
  const float* next = valid.data();
  const SampleGrid grid = grid_of(to, extents, n);
  grid.each_valid([&](uint64_t at, uint64_t count) {
    std::copy_n(next, count, wide + n * grid.elements() + at);
    next += count;
  });
}

class ExtentTrial {
 public:
  // `varying`: its inputs are alike, and vary along the same axes.
  ExtentTrial(Trial& trial, const LayerCase& varying, bool training)
      : trial_(trial), made_(varying), training_(training), outputs_(varying.shapes.outputs.size()) {}

  Status run() {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial_, made_, options()));
    PLAIT_ASSIGN(LayerValues values, draw_values(trial_, made_));
    if (training_) {
      PLAIT_ASSIGN(const bool random, is_random(trial_, *bench, values));
      if (random) return skipped("the layer is random in training");
    }
    PLAIT_TRY(choose_extents());
    pad(values);
    PLAIT_ASSIGN(auto padded, LayerRun::create(*bench, values, run_options()));
    trial_.doing("samples of several extents, " + made_.text());
    PLAIT_TRY(padded->all());
    PLAIT_TRY(padded->check_memory());
    if (training_ && (made_.flags & kCouples) != 0) return check_room(*bench, *padded, values);
    for (size_t n = 0; n < alone_.size(); ++n) PLAIT_TRY(check_sample(*bench, *padded, values, n));
    return check_sums(*padded);
  }

 private:
  size_t samples() const { return static_cast<size_t>(made_.inputs[0].shape[0]); }
  BenchOptions options() const {
    BenchOptions options;
    options.training = training_;
    return options;
  }
  LayerRunOptions run_options() const {
    LayerRunOptions options;
    options.training = training_;
    return options;
  }

  Result<LayerCase> case_of(const int64_t (&extent)[2]) const {
    std::vector<PartSpec> inputs = made_.inputs;
    for (PartSpec& input : inputs) {
      input.shape[0] = 1;
      for (int k = 0; k < 2; ++k)
        if (input.varying(k) >= 0) input.shape[static_cast<size_t>(input.varying(k))] = extent[k];
      input.variable_axis = input.second_axis = -1;
    }
    return made_.with_inputs(std::move(inputs));
  }

  // Short ones first along one axis, last along the other; longer where the layer wants more.
  Status choose_extents() {
    const PartSpec& input = made_.inputs[0];
    const auto count = static_cast<int64_t>(samples());
    for (int64_t n = 0; n < count; ++n) {
      int64_t extent[2] = {1, 1}, bound[2] = {1, 1};
      for (int k = 0; k < 2; ++k) {
        if (input.varying(k) < 0) continue;
        bound[k] = input.bound(k);
        extent[k] = 1 + (k == 0 ? n : count - 1 - n) * (bound[k] - 1) / count;
      }
      auto alone = case_of(extent);
      while (!alone && (extent[0] < bound[0] || extent[1] < bound[1])) {
        for (int k = 0; k < 2; ++k) extent[k] = std::min(extent[k] + 1, bound[k]);
        alone = case_of(extent);
      }
      if (!alone) return alone.status().at("without variable axes");
      for (int k = 0; k < 2; ++k)
        if (input.varying(k) >= 0) inputs_[static_cast<size_t>(k)].push_back(static_cast<int32_t>(extent[k]));
      alone_.push_back(std::move(*alone));
    }
    for (const InferredExtent& one : made_.shapes.extents)
      for (const int32_t extent : inputs_[static_cast<size_t>(one.source.axis)])
        outputs_[one.output][static_cast<size_t>(one.axis)].push_back(one.source(extent));
    return {};
  }

  void pad(LayerValues& values) const {
    for (size_t i = 0; i < made_.inputs.size(); ++i) {
      values.lengths[i] = inputs_[0];
      values.second_lengths[i] = inputs_[1];
      zero_past(made_.inputs[i], inputs_, reinterpret_cast<float*>(values.inputs[i].data()));
    }
    for (size_t i = 0; i < outputs_.size(); ++i)
      zero_past(made_.shapes.outputs[i], outputs_[i], values.output_gradients[i].data());
  }

  LayerValues values_alone(const LayerValues& values, size_t n) const {
    LayerValues alone = values;
    for (size_t i = 0; i < made_.inputs.size(); ++i) {
      const auto* const from = reinterpret_cast<const float*>(values.inputs[i].data());
      const std::vector<float> valid = valid_of(made_.inputs[i], inputs_, n, from);
      const auto* const bytes = reinterpret_cast<const uint8_t*>(valid.data());
      alone.inputs[i].assign(bytes, bytes + valid.size() * sizeof(float));
      alone.lengths[i].clear();
      alone.second_lengths[i].clear();
    }
    for (size_t i = 0; i < outputs_.size(); ++i)
      alone.output_gradients[i] =
          valid_of(made_.shapes.outputs[i], outputs_[i], n, values.output_gradients[i].data());
    return alone;
  }

  Status check_sample(const LayerBench& bench, const LayerRun& padded, const LayerValues& values, size_t n) {
    const LayerCase& alone = alone_[n];
    PLAIT_TRY(check_forms(alone, values, n));
    PLAIT_ASSIGN(auto own_bench, LayerBench::create(trial_, alone, options()));
    PLAIT_ASSIGN(auto run, LayerRun::create(*own_bench, values_alone(values, n), run_options()));
    trial_.doing("a sample without padding, " + alone.text());
    PLAIT_TRY(run->all());
    for (size_t i = 0; i < outputs_.size(); ++i)
      PLAIT_TRY(compare(fmt::format("output {}", i), made_.shapes.outputs[i], outputs_[i], n,
                        padded.outputs[i], run->outputs[i]));
    if (!training_) return {};
    for (size_t i = 0; i < made_.inputs.size(); ++i)
      if (bench.options().gradient_needed[i])
        PLAIT_TRY(compare(fmt::format("gradient of input {}", i), made_.inputs[i], inputs_, n,
                          padded.input_gradients[i], run->input_gradients[i]));
    sums_.resize(made_.shapes.parameters.size());
    for (size_t i = 0; i < sums_.size(); ++i) {
      PLAIT_ASSIGN(const auto part, run->parameter_gradient(i));
      sums_[i].resize(part.size());
      for (size_t k = 0; k < part.size(); ++k) sums_[i][k] += part[k];
    }
    return {};
  }

  // Samples that see each other cannot be compared with one alone: they are with themselves where the bounds
  // are larger.
  Status check_room(const LayerBench& bench, LayerRun& padded, const LayerValues& values) {
    std::vector<PartSpec> inputs = made_.inputs;
    for (PartSpec& input : inputs)
      for (int k = 0; k < 2; ++k)
        if (input.varying(k) >= 0) input.shape[static_cast<size_t>(input.varying(k))] += kRoom;
    PLAIT_ASSIGN(const LayerCase roomy, made_.with_inputs(std::move(inputs)));
    PLAIT_ASSIGN(auto wide_bench, LayerBench::create(trial_, roomy, options()));
    PLAIT_ASSIGN(auto wide, LayerRun::create(*wide_bench, values_in(roomy, values), run_options()));
    trial_.doing("the same samples with more room, " + roomy.text());
    PLAIT_TRY(wide->all());
    for (size_t i = 0; i < outputs_.size(); ++i)
      PLAIT_TRY(same_in_room(fmt::format("output {}", i), made_.shapes.outputs[i], roomy.shapes.outputs[i],
                             outputs_[i], padded.outputs[i], wide->outputs[i]));
    for (size_t i = 0; i < made_.inputs.size(); ++i)
      if (bench.options().gradient_needed[i])
        PLAIT_TRY(same_in_room(fmt::format("gradient of input {}", i), made_.inputs[i], roomy.inputs[i],
                               inputs_, padded.input_gradients[i], wide->input_gradients[i]));
    for (size_t i = 0; i < made_.shapes.parameters.size(); ++i) {
      PLAIT_ASSIGN(const auto got, padded.parameter_gradient(i));
      PLAIT_ASSIGN(const auto wanted, wide->parameter_gradient(i));
      PLAIT_TRY(same_numbers(fmt::format("gradient of parameter \"{}\"", made_.shapes.parameters[i].name),
                             got, wanted));
    }
    for (size_t i = 0; i < made_.shapes.buffers.size(); ++i)
      PLAIT_TRY(same_numbers(fmt::format("buffer \"{}\"", made_.shapes.buffers[i].name),
                             numbers_of(padded.buffers[i]), numbers_of(wide->buffers[i])));
    return {};
  }

  LayerValues values_in(const LayerCase& roomy, const LayerValues& values) const {
    LayerValues wide = values;
    for (size_t i = 0; i < made_.inputs.size(); ++i) {
      wide.inputs[i].assign(element_count(roomy.inputs[i].shape) * sizeof(float), 0);
      for (size_t n = 0; n < samples(); ++n)
        put_sample(made_.inputs[i], roomy.inputs[i], inputs_, n,
                   reinterpret_cast<const float*>(values.inputs[i].data()),
                   reinterpret_cast<float*>(wide.inputs[i].data()));
    }
    for (size_t i = 0; i < outputs_.size(); ++i) {
      wide.output_gradients[i].assign(element_count(roomy.shapes.outputs[i].shape), 0.0f);
      for (size_t n = 0; n < samples(); ++n)
        put_sample(made_.shapes.outputs[i], roomy.shapes.outputs[i], outputs_[i], n,
                   values.output_gradients[i].data(), wide.output_gradients[i].data());
    }
    return wide;
  }

  Status same_in_room(const std::string& what, const PartSpec& spec, const PartSpec& wide,
                      const Extents& extents, const Guarded& got, const Guarded& wanted) const {
    for (size_t n = 0; n < samples(); ++n)
      PLAIT_TRY(same_numbers(fmt::format("{} of sample {} ({})", what, n, extents_text(n)),
                             valid_of(spec, extents, n, got.as<float>()),
                             valid_of(wide, extents, n, wanted.as<float>())));
    return {};
  }

  Status same_numbers(const std::string& what, const std::vector<float>& got,
                      const std::vector<float>& wanted) const {
    if (got.size() != wanted.size())
      return broken(fmt::format("{} has {} elements in {}, {} with more room", what, got.size(),
                                shape_text(made_.inputs[0]), wanted.size()));
    const double scale = largest(wanted);
    for (size_t k = 0; k < wanted.size(); ++k)
      if (!near(got[k], wanted[k], scale))
        return broken(fmt::format("{}, element {}: {:.6g} in {}, {:.6g} with more room", what, k, got[k],
                                  shape_text(made_.inputs[0]), wanted[k]));
    return {};
  }

  // Without padding the output is as large as the rules say, and parameters are the same.
  Status check_forms(const LayerCase& alone, const LayerValues& values, size_t n) const {
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const size_t valid =
          valid_of(made_.shapes.outputs[i], outputs_[i], n, values.output_gradients[i].data()).size();
      const uint64_t has = element_count(alone.shapes.outputs[i].shape);
      if (valid != has)
        return broken(
            fmt::format("sample {} ({}) reaches {} elements of output {} far in a batch; alone its "
                        "output is {}, {} elements",
                        n, extents_text(n), valid, i, shape_text(alone.shapes.outputs[i]), has));
    }
    for (size_t i = 0; i < made_.shapes.parameters.size(); ++i)
      if (alone.shapes.parameters[i].shape != made_.shapes.parameters[i].shape)
        return broken(
            fmt::format("parameter \"{}\" depends on a sample's extent", made_.shapes.parameters[i].name));
    return {};
  }

  std::string extents_text(size_t n) const {
    const std::string first = std::to_string(inputs_[0][n]);
    return inputs_[1].empty() ? first : first + "x" + std::to_string(inputs_[1][n]);
  }

  Status compare(const std::string& what, const PartSpec& spec, const Extents& extents, size_t n,
                 const Guarded& padded, const Guarded& alone) const {
    const std::vector<float> got = valid_of(spec, extents, n, padded.as<float>());
    const std::vector<float> wanted = numbers_of(alone);
    const double scale = largest(wanted);
    for (size_t k = 0; k < wanted.size(); ++k)
      if (!near(got[k], wanted[k], scale))
        return broken(
            fmt::format("{} of sample {} ({} of {}), element {}: {:.6g} in a batch, {:.6g} without "
                        "padding",
                        what, n, extents_text(n), shape_text(made_.inputs[0]), k, got[k], wanted[k]));
    return {};
  }

  Status check_sums(LayerRun& padded) const {
    for (size_t i = 0; i < sums_.size(); ++i) {
      PLAIT_ASSIGN(const auto got, padded.parameter_gradient(i));
      const double scale = largest(got);
      for (size_t k = 0; k < got.size(); ++k)
        if (!near(got[k], sums_[i][k], scale))
          return broken(
              fmt::format("gradient of parameter \"{}\", element {}: {:.6g} in a batch, {:.6g} "
                          "summed over samples without padding",
                          made_.shapes.parameters[i].name, k, got[k], sums_[i][k]));
    }
    return {};
  }

  Trial& trial_;
  const LayerCase& made_;
  const bool training_;
  Extents inputs_;
  std::vector<Extents> outputs_;
  std::vector<LayerCase> alone_;
  std::vector<std::vector<double>> sums_;  // gradients of parameters
};

bool are_usual(const LayerCase& made) {
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    const PartSpec& input = made.inputs[i];
    if (input.dtype != PLAIT_F32 || input.shape.size() < 3 || made.range(i) != nullptr) return false;
    if (!std::equal(input.shape.begin(), input.shape.end() - 1, made.inputs[0].shape.begin(),
                    made.inputs[0].shape.end() - 1))
      return false;
  }
  for (const PartSpec& output : made.shapes.outputs)
    if (output.dtype != PLAIT_F32) return false;
  return true;
}

// Pairs of axes that may vary; -1: none.
std::vector<std::pair<int, int>> axes_of(const LayerCase& made) {
  switch (made.inputs[0].shape.size()) {
    case 3:
      return {{1, -1}};
    case 4:
      return {{1, 2}, {2, -1}};
    default:
      return {{1, 3}, {2, 3}};
  }
}

Status extents(Trial& trial) {
  if ((trial.type().flags & PLAIT_TYPE_TWO_AXES) == 0)
    return skipped("the layer takes inputs of one variable axis at most");
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& small : cases) {
    if (!are_usual(small)) continue;
    const auto batch = small.with_batch(3);
    if (!batch) continue;
    for (const auto& [first, second] : axes_of(*batch)) {
      std::vector<PartSpec> inputs = batch->inputs;
      for (PartSpec& input : inputs) input.variable_axis = first, input.second_axis = second;
      const auto varying = batch->with_inputs(inputs);
      if (!varying) continue;
      PLAIT_TRY(ExtentTrial(trial, *varying, true).run().at(varying->text()));
      if ((varying->flags & kCouples) == PLAIT_VERIFY_COUPLES_IN_TRAINING)
        PLAIT_TRY(ExtentTrial(trial, *varying, false).run().at(varying->text() + ", in evaluation"));
      ++tried;
    }
  }
  if (tried == 0) return skipped("the layer accepts no variable extents in usual cases");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> layer_extent_laws() {
  return {
      {"layer", "extents", Severity::kMust,
       "where one axis varies or two, a sample in a padded batch gives what it gives alone; samples that see "
       "each other, what they give with more room",
       extents}};
}

}  // namespace plait::inline verify
