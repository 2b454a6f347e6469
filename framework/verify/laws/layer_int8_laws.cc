// The law of layers about ranges of their inputs, from which they compute on 8-bit integers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/benches/layer_run.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 96, kMostTried = 12;
constexpr uint64_t kMostElements = 12;  // of an output, whose gradients are asked for one by one
constexpr double kFewestSteps = 63;     // of 7 bits with a sign, the coarsest integers that are let through

// Of every input that the layer takes one of.
std::vector<plait_range> ranges_of(const LayerCase& made, const LayerBench& bench, double low, double high) {
  std::vector<plait_range> ranges(made.inputs.size());
  for (const uint32_t input : bench.needs().takes_int8)
    if (input < ranges.size()) ranges[input] = {sizeof(plait_range), 0, low, high};
  return ranges;
}

// One set of numbers through the layer in f32, with its gradients, and on integers.
struct Both {
  std::unique_ptr<LayerBench> full_bench, int8_bench;
  std::unique_ptr<LayerRun> full, int8;
};

Result<std::unique_ptr<LayerBench>> int8_bench(Trial& trial, const LayerCase& made,
                                               const std::vector<plait_range>& ranges) {
  BenchOptions options;
  options.training = false;
  options.int8_ranges = ranges;
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
  for (size_t i = 0; i < ranges.size(); ++i)
    if (ranges[i].struct_size > 0 && std::ranges::count(bench->needs().takes_int8, i) == 0)
      return broken(fmt::format(
          "says takes_int8 of input {}, and nothing of it where it is made with a range: it computes in f32",
          i));
  return bench;
}

Result<std::unique_ptr<LayerRun>> evaluated(const LayerBench& bench, const LayerValues& values) {
  LayerRunOptions options;
  options.training = false;
  PLAIT_ASSIGN(auto run, LayerRun::create(bench, values, options));
  PLAIT_TRY(run->all());
  PLAIT_TRY(run->check_memory());
  return run;
}

Result<Both> run_both(Trial& trial, const LayerCase& made, const LayerValues& values,
                      const std::vector<plait_range>& ranges) {
  Both both;
  PLAIT_ASSIGN(both.full_bench, LayerBench::create(trial, made));
  PLAIT_ASSIGN(both.int8_bench, int8_bench(trial, made, ranges));
  PLAIT_ASSIGN(both.full, LayerRun::create(*both.full_bench, values));
  trial.doing("forward in f32, and on 8-bit integers, " + made.text());
  PLAIT_TRY(both.full->prepare());
  PLAIT_TRY(both.full->forward());
  PLAIT_ASSIGN(both.int8, evaluated(*both.int8_bench, values));
  return both;
}

// ---- numbers

float* input_of(LayerValues& values, size_t input) {
  return reinterpret_cast<float*>(values.inputs[input].data());
}

// Every number one of the range's ends, or 0: integers of any scheme hold them.
void set_ends(Trial& trial, const std::vector<plait_range>& ranges, LayerValues& values) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].struct_size == 0) continue;
    float* const x = input_of(values, i);
    const double ends[] = {ranges[i].low, 0, ranges[i].high};
    for (size_t k = 0; k < values.inputs[i].size() / sizeof(float); ++k)
      x[k] = static_cast<float>(ends[trial.dice().below(3)]);
  }
}
void set_within(Trial& trial, const std::vector<plait_range>& ranges, LayerValues& values) {
  for (size_t i = 0; i < ranges.size(); ++i)
    for (size_t k = 0; ranges[i].struct_size > 0 && k < values.inputs[i].size() / sizeof(float); ++k)
      input_of(values, i)[k] = static_cast<float>(trial.dice().between(ranges[i].low, ranges[i].high));
}
// Weights of one size, and 0.
void set_one_size(Trial& trial, LayerValues& values) {
  for (std::vector<float>& parameter : values.parameters)
    for (float& w : parameter) w = 0.5f * static_cast<float>(static_cast<int>(trial.dice().below(3)) - 1);
}

// ---- what rounding may change

double sum_of_sizes(const float* values, uint64_t count) {
  double sum = 0;
  for (uint64_t k = 0; k < count; ++k) sum += std::abs(static_cast<double>(values[k]));
  return sum;
}

double largest(const std::vector<float>& values) {
  double most = 0;
  for (const float value : values) most = std::max(most, std::abs(static_cast<double>(value)));
  return most;
}

// By how much the element whose gradient alone was given may move: each number by half a step of its
// integers.
Result<double> movement(LayerRun& run, const LayerValues& values, const std::vector<plait_range>& ranges,
                        bool of_inputs, bool of_weights) {
  double most = 0;
  for (size_t i = 0; of_inputs && i < ranges.size(); ++i) {
    if (ranges[i].struct_size == 0) continue;
    const double half_step = std::max(-ranges[i].low, ranges[i].high) / kFewestSteps / 2;
    most += half_step * sum_of_sizes(run.input_gradients[i].as<float>(), run.input_gradients[i].bytes() / 4);
  }
  for (size_t p = 0; of_weights && p < values.parameters.size(); ++p) {
    PLAIT_ASSIGN(const std::vector<float> gradient, run.parameter_gradient(p));
    most += largest(values.parameters[p]) / kFewestSteps / 2 * sum_of_sizes(gradient.data(), gradient.size());
  }
  return most;
}

// Scales are rounded to f32, and results once more: a few units of the last place of the largest result, or
// term (whose sizes are 1 or so).
double slack(const LayerRun& full, size_t output) {
  double most = 1;
  const Guarded& y = full.outputs[output];
  for (uint64_t k = 0; k < y.bytes() / 4; ++k)
    most = std::max(most, std::abs(static_cast<double>(y.as<float>()[k])));
  return 1e-5 * most;
}

struct Rounded {
  bool inputs, weights;
};

// Gradients of the first output's elements one by one: what is linear in the numbers that are rounded moves
// by no more than they say.
Status check_moves(Trial& trial, Both& both, const LayerValues& values,
                   const std::vector<plait_range>& ranges, Rounded rounded) {
  Guarded& dy = both.full->output_gradients[0];
  const Guarded &wanted = both.full->outputs[0], &got = both.int8->outputs[0];
  const uint64_t count = wanted.bytes() / 4, step = std::max<uint64_t>(1, count / kMostElements);
  for (uint64_t k = trial.dice().below(step); k < count; k += step) {
    double most = 0;
    if (rounded.inputs || rounded.weights) {
      std::fill_n(dy.as<float>(), count, 0.0f);
      dy.as<float>()[k] = 1;
      PLAIT_TRY(both.full->backward());
      PLAIT_ASSIGN(most, movement(*both.full, values, ranges, rounded.inputs, rounded.weights));
    }
    const double a = wanted.as<float>()[k], b = got.as<float>()[k];
    if (!(std::abs(a - b) <= 1.25 * most + slack(*both.full, 0)))
      return broken(fmt::format(
          "output 0, element {}, is {:.6g} on 8-bit integers and {:.6g} in f32; rounding {} changes it by at "
          "most {:.2g}",
          k, b, a,
          rounded.inputs    ? "the inputs to 7 bits and a sign"
          : rounded.weights ? "the weights to 7 bits and a sign"
                            : "nothing (all numbers are integers as they are)",
          most));
  }
  return {};
}

Status check_rounding(Trial& trial, const LayerCase& made, const std::vector<plait_range>& ranges) {
  PLAIT_ASSIGN(const LayerValues drawn, draw_values(trial, made));
  for (const Rounded rounded : {Rounded{false, false}, Rounded{true, false}, Rounded{false, true}}) {
    LayerValues values = drawn;
    rounded.inputs ? set_within(trial, ranges, values) : set_ends(trial, ranges, values);
    if (!rounded.weights) set_one_size(trial, values);
    PLAIT_ASSIGN(Both both, run_both(trial, made, values, ranges));
    if (both.full->outputs.empty() || made.shapes.outputs[0].dtype != PLAIT_F32) return {};
    PLAIT_TRY(check_moves(trial, both, values, ranges, rounded));
  }
  return {};
}

// ---- bits

Status same_outputs(const LayerRun& a, const LayerRun& b, const std::string& what) {
  for (size_t i = 0; i < a.outputs.size(); ++i)
    if (!a.outputs[i].same_bits(b.outputs[i]))
      return broken(fmt::format("output {} has other bits {}", i, what));
  return {};
}

Status check_bits(Trial& trial, const LayerCase& made, const std::vector<plait_range>& ranges) {
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
  set_within(trial, ranges, values);
  PLAIT_ASSIGN(const auto bench, int8_bench(trial, made, ranges));
  trial.doing("forward again and again on 8-bit integers, " + made.text());
  PLAIT_ASSIGN(const auto first, evaluated(*bench, values));
  PLAIT_ASSIGN(const auto second, evaluated(*bench, values));
  PLAIT_TRY(same_outputs(*first, *second, "from run to run on 8-bit integers"));
  LayerValues ends = values, beyond = values;
  set_ends(trial, ranges, ends);
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].struct_size == 0) continue;
    beyond.inputs[i] = ends.inputs[i];
    for (size_t k = 0; k < ends.inputs[i].size() / sizeof(float); ++k) input_of(beyond, i)[k] *= 3;
  }
  PLAIT_ASSIGN(const auto at_ends, evaluated(*bench, ends));
  PLAIT_ASSIGN(const auto past_them, evaluated(*bench, beyond));
  return same_outputs(*at_ends, *past_them, "for inputs beyond their range than for its ends");
}

Status check_not_finite(Trial& trial, const LayerCase& made, const std::vector<plait_range>& ranges) {
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
  PLAIT_ASSIGN(const auto bench, int8_bench(trial, made, ranges));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (ranges[i].struct_size == 0 || values.inputs[i].empty()) continue;
      LayerValues spoilt = values;
      input_of(spoilt, i)[spoilt.inputs[i].size() / sizeof(float) - 1] = bad;
      trial.doing("forward on 8-bit integers with an input that is not finite, " + made.text());
      const auto run = evaluated(*bench, spoilt);
      if (run) return broken(fmt::format("makes an 8-bit integer of input {} where that is {}", i, bad));
      if (run.status().code() != Code::kNumeric) return run.status();
    }
  }
  return {};
}

Status int8(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  BenchOptions options;
  options.training = false;
  size_t tried = 0;
  for (const LayerCase& made : cases) {
    if (tried == kMostTried) break;
    PLAIT_ASSIGN(const auto bench, LayerBench::create(trial, made, options));
    if (bench->needs().takes_int8.empty()) continue;
    for (const double low : {0.0, -2.0}) {
      const auto ranges = ranges_of(made, *bench, low, 2);
      PLAIT_TRY(check_rounding(trial, made, ranges).at(made.text()));
      PLAIT_TRY(check_bits(trial, made, ranges).at(made.text()));
      PLAIT_TRY(check_not_finite(trial, made, ranges).at(made.text()));
    }
    ++tried;
  }
  if (tried == 0) return skipped("the layer takes no ranges of its inputs");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> layer_int8_laws() {
  return {{"layer", "int8", Severity::kMust,
           "where it takes ranges, 8-bit integers change results by no more than their rounding", int8}};
}

}  // namespace plait::inline verify
