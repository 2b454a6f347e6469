// Laws of what layers say of themselves for pretrainers: the layer that leads back, that they are an
// activation, how they disturb.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "pipeline/load.h"
#include "pipeline/stage_text.h"
#include "verify/benches/layer_run.h"
#include "verify/benches/port_check.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 12;
constexpr size_t kMostTouched = 16;  // elements that are changed one by one

// The one layer of a stage that `build` makes.
template <class Build>
Result<LayerSpec> layer_of(Trial& trial, Build build) {
  const Job none;
  StageText stage(trial.registry(), none);
  stage.raw()->begin(stage.raw(), "one layer");
  build(*stage.raw());
  PLAIT_TRY(stage.refused());
  LayerSpec layer;
  PLAIT_ASSIGN(layer.plugin, parse_plugin(trial.registry(), {"layer"}, stage.text(), "one layer"));
  return layer;
}

int64_t elements(const PartSpec& part) {
  int64_t count = 1;
  for (const int64_t extent : part.shape) count *= extent;
  return count;
}

Status check_mirror(Trial& trial, const LayerCase& made, const Block& block) {
  const RawBlock raw(block);
  const char* input = "x";
  auto mirror =
      layer_of(trial, [&](const plait_stage_builder& b) { b.layer(&b, "back", 1, &input, raw.raw()); });
  if (!mirror) return broken("its mirror is no layer: " + mirror.status().message());
  const PartSpec& output = made.shapes.outputs.front();
  const auto back = infer_layer(*mirror, {output});
  if (!back)
    return broken(fmt::format("its mirror {} refuses its output {}: {}", block.type_id, part_text(output),
                              back.status().message()));
  if (elements(back->outputs.front()) == elements(made.inputs.front())) return {};
  return broken(fmt::format("its mirror {} gives {} back, wanted as many numbers as {} has", block.type_id,
                            part_text(back->outputs.front()), part_text(made.inputs.front())));
}

Status mirrors(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  std::string missing;
  for (const LayerCase& made : cases) {
    for (const Block& block : made.shapes.mirror) {
      if (trial.registry().find("layer", block.type_id) == nullptr) {
        missing = block.type_id;
        continue;
      }
      PLAIT_TRY(check_mirror(trial, made, block).at(made.text()));
      ++tried;
    }
  }
  if (tried > 0) return {};
  return skipped(missing.empty() ? "the layer names none that leads back" : missing + " is not loaded");
}

struct Outcome {
  std::unique_ptr<LayerBench> bench;
  std::unique_ptr<LayerRun> run;
};

Result<Outcome> run_forward(Trial& trial, const LayerCase& made, const LayerValues& values, bool training) {
  Outcome outcome;
  BenchOptions options;
  options.training = training;
  PLAIT_ASSIGN(outcome.bench, LayerBench::create(trial, made, options));
  LayerRunOptions how;
  how.training = training;
  PLAIT_ASSIGN(outcome.run, LayerRun::create(*outcome.bench, values, how));
  PLAIT_TRY(outcome.run->prepare());
  PLAIT_TRY(outcome.run->forward());
  return outcome;
}

// The first element whose bits differ, or -1.
int64_t first_difference(const Guarded& a, const Guarded& b, int64_t count, int64_t but = -1) {
  for (int64_t i = 0; i < count; ++i)
    if (i != but && std::memcmp(a.as<float>() + i, b.as<float>() + i, sizeof(float)) != 0) return i;
  return -1;
}

Status check_activation(Trial& trial, const LayerCase& made) {
  const PartSpec& input = made.inputs.front();
  const PartSpec& output = made.shapes.outputs.front();
  if (input.shape != output.shape || input.dtype != output.dtype || made.inputs.size() != 1)
    return broken(fmt::format("says it is an activation, but leads from {} to {}", part_text(input),
                              part_text(output)));
  const int64_t count = elements(input);
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
  PLAIT_ASSIGN(const Outcome plain, run_forward(trial, made, values, true));
  PLAIT_ASSIGN(const Outcome evaluated, run_forward(trial, made, values, false));
  int64_t at = first_difference(plain.run->outputs[0], evaluated.run->outputs[0], count);
  if (at >= 0)
    return broken(fmt::format("says it is an activation, but element {} is another in evaluation", at));
  auto* numbers = reinterpret_cast<float*>(values.inputs[0].data());
  const int64_t step = std::max<int64_t>(1, count / static_cast<int64_t>(kMostTouched));
  for (int64_t k = 0; k < count; k += step) {
    const float before = std::exchange(numbers[k], numbers[(k + 1) % count]);
    PLAIT_ASSIGN(const Outcome changed, run_forward(trial, made, values, true));
    numbers[k] = before;
    at = first_difference(plain.run->outputs[0], changed.run->outputs[0], count, k);
    if (at >= 0)
      return broken(
          fmt::format("says it is an activation, but element {} of the output changes with element {} "
                      "of the input",
                      at, k));
    const float* now = changed.run->outputs[0].as<float>();
    if (std::memcmp(now + k, now + (k + 1) % count, sizeof(float)) != 0)
      return broken(
          fmt::format("says it is an activation, but makes other numbers of the equal elements {} and {}", k,
                      (k + 1) % count));
  }
  return {};
}

Status activations(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    const bool says = made.shapes.is_activation || !made.shapes.is_epilogue.empty();
    if (!says || elements(made.inputs.front()) == 0) continue;
    PLAIT_TRY(check_activation(trial, made).at(made.text()));
    ++tried;
  }
  return tried > 0 ? Status() : skipped("the layer does not say that it is an activation");
}

// Of `count` elements each with probability p: six deviations.
bool is_likely(double got, double p, double count) {
  return std::abs(got - p * count) <= 6 * std::sqrt(count * p * (1 - p)) + 1;
}

Status check_masking(const float* x, const float* y, int64_t count, double amount) {
  int64_t zeros = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (y[i] == 0 && x[i] != 0) {
      ++zeros;
    } else if (y[i] != x[i]) {
      return broken(
          fmt::format("masking of {} makes {} of {}, wanted 0 or the number itself", amount, y[i], x[i]));
    }
  }
  if (is_likely(static_cast<double>(zeros), amount, static_cast<double>(count))) return {};
  return broken(fmt::format("masking of {} sets {} of {} numbers to 0", amount, zeros, count));
}

Status check_gaussian(const float* x, const float* y, int64_t count, double amount) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double noise = double{y[i]} - x[i];
    sum += noise, squares += noise * noise;
  }
  const auto n = static_cast<double>(count);
  const double mean = sum / n, variance = squares / n;
  const bool good = std::abs(mean) <= 6 * amount / std::sqrt(n) &&
                    std::abs(variance / (amount * amount) - 1) <= 6 * std::sqrt(2 / n);
  if (good) return {};
  return broken(fmt::format("gaussian noise of {} has mean {:.4g} and deviation {:.4g}", amount, mean,
                            std::sqrt(variance)));
}

Status corrupts(Trial& trial) {
  const auto* rules = static_cast<const plait_layer_rules*>(trial.type().rules);
  if (!PLAIT_HAS(rules, corruption)) return skipped("the layer does not say that it disturbs its input");
  const std::string noise = rules->corruption->noise ? rules->corruption->noise : "";
  if (noise.empty() || rules->corruption->amount == nullptr)
    return broken("a corruption without noise or amount");
  constexpr double kAmount = 0.25;
  auto spec = layer_of(
      trial, [&](const plait_stage_builder& b) { b.corrupt(&b, "noisy", "x", trial.type().id, kAmount); });
  if (!spec) return broken("says that it disturbs, but: " + spec.status().message());
  LayerCase made;
  made.spec = *spec;
  made.inputs = {{"x", PLAIT_F32, {64, 50}}};
  PLAIT_ASSIGN(made.shapes, infer_layer(made.spec, made.inputs));
  if (made.shapes.outputs.front().shape != made.inputs.front().shape)
    return broken("says that it disturbs, but its output has another shape");
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
  PLAIT_ASSIGN(const Outcome disturbed, run_forward(trial, made, values, true));
  PLAIT_ASSIGN(const Outcome evaluated, run_forward(trial, made, values, false));
  const auto* x = reinterpret_cast<const float*>(values.inputs[0].data());
  const float* y = evaluated.run->outputs[0].as<float>();
  const int64_t count = elements(made.inputs.front());
  for (int64_t i = 0; i < count; ++i)
    if (x[i] != y[i]) return broken(fmt::format("disturbs in evaluation too: {} of {}", y[i], x[i]));
  y = disturbed.run->outputs[0].as<float>();
  if (noise == "masking") return check_masking(x, y, count, kAmount);
  if (noise == "gaussian") return check_gaussian(x, y, count, kAmount);
  return {};
}

std::vector<std::string> names_of(const std::vector<ParameterInfo>& infos) {
  std::vector<std::string> names;
  for (const ParameterInfo& info : infos) names.push_back(info.name);
  return names;
}

Status ports(Trial& trial) {
  const auto& rules = trial.rules<plait_layer_rules>();
  const plait_layer_rules* const table = &rules;
  if (!PLAIT_HAS(table, input_ports) && !PLAIT_HAS(table, output_ports) &&
      !PLAIT_HAS(table, parameter_ports) && !PLAIT_HAS(table, buffer_ports))
    return skipped("tells no order of its inputs, outputs or parameters");
  PLAIT_TRY(check_ports("input", rules.input_ports));
  PLAIT_TRY(check_ports("output", rules.output_ports));
  PLAIT_TRY(check_ports("parameter", rules.parameter_ports));
  PLAIT_TRY(check_ports("buffer", rules.buffer_ports));
  PLAIT_ASSIGN(const auto cases, inferred_layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    const std::string text = made.text();
    PLAIT_TRY(check_port_count("input", rules.input_ports, made.inputs.size()).at(text));
    PLAIT_TRY(check_port_count("output", rules.output_ports, made.shapes.outputs.size()).at(text));
    PLAIT_TRY(
        check_port_order("parameter", rules.parameter_ports, names_of(made.shapes.parameters)).at(text));
    PLAIT_TRY(check_port_order("buffer", rules.buffer_ports, names_of(made.shapes.buffers)).at(text));
  }
  return {};
}

}  // namespace

std::vector<Law> layer_trait_laws() {
  constexpr const char* kKind = "layer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "mirror", kMust, "the layer that it names leads back to as many numbers as its input has",
       mirrors},
      {kKind, "activation", kMust, "what says it is an activation works element by element", activations},
      {kKind, "corruption", kMust, "what says it disturbs does so in training alone, by its amount",
       corrupts},
      {"layer", "ports", Severity::kMust, "inputs, outputs and parameters come in the order that it tells",
       ports},
  };
}

}  // namespace plait::inline verify
