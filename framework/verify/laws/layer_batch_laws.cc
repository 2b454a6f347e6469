// Laws of layers about batches: a sample's result is its own, and gradients of parameters are sums over
// samples.
#include <fmt/format.h>

#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 24;

// A batch may be summed in another order than a sample alone: a few units of the last place of the largest
// term.
bool near(double a, double b, double scale) { return std::abs(a - b) <= 2e-5 * (scale + std::abs(a)); }

double largest(const float* values, uint64_t count) {
  double most = 0;
  for (uint64_t i = 0; i < count; ++i) most = std::max(most, std::abs(static_cast<double>(values[i])));
  return most;
}

bool splits(const LayerCase& made) {
  for (const PartSpec& output : made.shapes.outputs)
    if (output.shape.empty() || output.shape[0] != made.inputs[0].shape[0] || output.dtype != PLAIT_F32)
      return false;
  for (const PartSpec& input : made.inputs)
    if (input.shape.empty() || input.shape[0] != made.inputs[0].shape[0]) return false;
  return true;
}

struct Parts {
  std::unique_ptr<LayerBench> whole_bench, sample_bench;
  std::unique_ptr<LayerRun> whole;
  std::vector<std::unique_ptr<LayerRun>> samples;
};

Result<Parts> run_parts(Trial& trial, const LayerCase& whole, const LayerCase& alone, bool training) {
  Parts parts;
  BenchOptions options;
  options.training = training;
  LayerRunOptions run;
  run.training = training;
  PLAIT_ASSIGN(parts.whole_bench, LayerBench::create(trial, whole, options));
  PLAIT_ASSIGN(parts.sample_bench, LayerBench::create(trial, alone, options));
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, whole));
  if (training) {
    PLAIT_ASSIGN(const bool random, is_random(trial, *parts.whole_bench, values));
    if (random) return skipped("the layer is random in training");
  }
  PLAIT_ASSIGN(parts.whole, LayerRun::create(*parts.whole_bench, values, run));
  trial.doing("a batch and its samples alone, " + whole.text());
  PLAIT_TRY(parts.whole->all());
  for (int64_t n = 0; n < whole.inputs[0].shape[0]; ++n) {
    PLAIT_ASSIGN(auto sample, LayerRun::create(*parts.sample_bench, sample_of(whole, values, n), run));
    PLAIT_TRY(sample->all());
    parts.samples.push_back(std::move(sample));
  }
  return parts;
}

Status same_samples(const std::string& what, const Guarded& whole,
                    const std::vector<const Guarded*>& samples) {
  const uint64_t stride = whole.bytes() / 4 / samples.size();
  const double scale = largest(whole.as<float>(), whole.bytes() / 4);
  for (size_t n = 0; n < samples.size(); ++n) {
    for (uint64_t k = 0; k < stride; ++k) {
      const double batch = whole.as<float>()[n * stride + k], alone = samples[n]->as<float>()[k];
      if (!near(batch, alone, scale))
        return broken(fmt::format(
            "{} of sample {}, element {}: {:.6g} in the batch, {:.6g} alone: samples of a batch see "
            "each other",
            what, n, k, batch, alone));
    }
  }
  return {};
}

std::vector<const Guarded*> of_samples(const Parts& parts, std::vector<Guarded> LayerRun::*blocks, size_t i) {
  std::vector<const Guarded*> list;
  for (const auto& sample : parts.samples) list.push_back(&(sample.get()->*blocks)[i]);
  return list;
}

Status sums(const LayerCase& made, Parts& parts) {
  for (size_t i = 0; i < made.shapes.parameters.size(); ++i) {
    PLAIT_ASSIGN(const auto whole, parts.whole->parameter_gradient(i));
    std::vector<double> sum(whole.size());
    for (const auto& sample : parts.samples) {
      PLAIT_ASSIGN(const auto part, sample->parameter_gradient(i));
      for (size_t k = 0; k < part.size(); ++k) sum[k] += part[k];
    }
    const double scale = largest(whole.data(), whole.size());
    for (size_t k = 0; k < whole.size(); ++k)
      if (!near(whole[k], sum[k], scale))
        return broken(fmt::format(
            "the batch's gradient of parameter \"{}\", element {}, is {:.6g}; its samples' sum {:.6g}",
            made.shapes.parameters[i].name, k, whole[k], sum[k]));
  }
  return {};
}

Status check_batches(Trial& trial, bool training) {
  const uint32_t says =
      PLAIT_VERIFY_COUPLES_SAMPLES | (training ? uint32_t{PLAIT_VERIFY_COUPLES_IN_TRAINING} : 0u);
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0, freed = 0;
  for (const LayerCase& small : cases) {
    if (small.flags & says) {
      ++freed;
      continue;
    }
    const auto made = small.with_batch(4);
    const auto alone = small.with_batch(1);
    if (!made || !alone || !splits(*made)) continue;
    PLAIT_ASSIGN(Parts parts, run_parts(trial, *made, *alone, training));
    for (size_t i = 0; i < parts.whole->outputs.size(); ++i)
      PLAIT_TRY(same_samples(fmt::format("output {}", i), parts.whole->outputs[i],
                             of_samples(parts, &LayerRun::outputs, i))
                    .at(made->text()));
    for (size_t i = 0; training && i < parts.whole->input_gradients.size(); ++i) {
      if (!parts.whole_bench->options().gradient_needed[i]) continue;
      PLAIT_TRY(same_samples(fmt::format("gradient of input {}", i), parts.whole->input_gradients[i],
                             of_samples(parts, &LayerRun::input_gradients, i))
                    .at(made->text()));
    }
    if (training) PLAIT_TRY(sums(*made, parts).at(made->text()));
    ++tried;
  }
  if (tried == 0 && freed > 0) return skipped("the layer says that samples see each other");
  if (tried == 0) return skipped("no case whose batch can be parted");
  trial.remark(freed > 0 ? fmt::format("{} cases; {} couple their samples, as they say", tried, freed)
                         : fmt::format("{} cases", tried));
  return {};
}

Status batch_in_training(Trial& trial) { return check_batches(trial, true); }
Status batch_in_evaluation(Trial& trial) { return check_batches(trial, false); }

}  // namespace

std::vector<Law> layer_batch_laws() {
  return {
      {"layer", "batch_in_evaluation", Severity::kMust,
       "in evaluation a sample's output does not depend on its batch", batch_in_evaluation},
      {"layer", "batch_in_training", Severity::kShould,
       "in training too, and a batch's gradient is the sum over its samples (not so where a batch is "
       "normalized)",
       batch_in_training},
  };
}

}  // namespace plait::inline verify
