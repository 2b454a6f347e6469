// The law of layers that say they compute in bf16: see plait/bf16.h.
#include <fmt/format.h>
#include <plait/bf16.h>

#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/half.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

float as_half(float x) { return from_half(to_half(x, PLAIT_BF16), PLAIT_BF16); }

// Numbers that bf16 holds, in `values`, and the same with inputs of it.
LayerValues halved(const LayerCase& full, const LayerCase& half, LayerValues& values) {
  for (auto* lists : {&values.parameters, &values.output_gradients})
    for (std::vector<float>& list : *lists)
      for (float& x : list) x = as_half(x);
  LayerValues other = values;
  for (size_t i = 0; i < full.inputs.size(); ++i) {
    if (half.inputs[i].dtype != PLAIT_BF16) continue;
    auto* x = reinterpret_cast<float*>(values.inputs[i].data());
    const size_t count = values.inputs[i].size() / sizeof(float);
    other.inputs[i].resize(count * sizeof(uint16_t));
    for (size_t k = 0; k < count; ++k) {
      x[k] = as_half(x[k]);
      const uint16_t bits = to_half(x[k], PLAIT_BF16);
      std::memcpy(other.inputs[i].data() + sizeof bits * k, &bits, sizeof bits);
    }
  }
  return other;
}

std::vector<float> numbers(const Guarded& block, uint32_t dtype) {
  if (dtype != PLAIT_BF16) return {block.as<float>(), block.as<float>() + block.bytes() / sizeof(float)};
  std::vector<float> all(block.bytes() / sizeof(uint16_t));
  for (size_t k = 0; k < all.size(); ++k) all[k] = from_half(block.as<uint16_t>()[k], dtype);
  return all;
}

// What goes in is exact. A number is off by its own rounding, 2^-8 of it, and by those of what was kept in
// bf16 on the way: with room for eight of both, each of the largest, 2^-5.
Status compare(const std::string& what, const std::vector<float>& full, const std::vector<float>& half) {
  double most = 0;
  for (const float x : full) most = std::max(most, std::abs(static_cast<double>(x)));
  for (size_t k = 0; k < full.size(); ++k) {
    if (std::abs(static_cast<double>(full[k]) - static_cast<double>(half[k])) <= 0x1p-5 * most) continue;
    return broken(fmt::format("{}, element {}, is {:.6g} in bf16, {:.6g} for the same numbers in f32", what,
                              k, half[k], full[k]));
  }
  return {};
}

Status compare_gradients(const LayerCase& half, LayerRun& one, LayerRun& two, const LayerBench& bench) {
  for (size_t i = 0; i < half.inputs.size(); ++i) {
    if (!bench.options().gradient_needed[i]) continue;
    PLAIT_TRY(compare(fmt::format("gradient of input {}", i), numbers(one.input_gradients[i], PLAIT_F32),
                      numbers(two.input_gradients[i], half.inputs[i].dtype)));
  }
  for (size_t i = 0; i < half.shapes.parameters.size(); ++i) {
    PLAIT_ASSIGN(const auto full_gradient, one.parameter_gradient(i));
    PLAIT_ASSIGN(const auto half_gradient, two.parameter_gradient(i));
    PLAIT_TRY(compare(fmt::format("gradient of parameter \"{}\"", half.shapes.parameters[i].name),
                      full_gradient, half_gradient));
  }
  return {};
}

Status check_case(Trial& trial, const LayerCase& full, const LayerCase& half) {
  PLAIT_ASSIGN(const auto full_bench, LayerBench::create(trial, full));
  PLAIT_ASSIGN(const auto half_bench, LayerBench::create(trial, half));
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, full));
  const LayerValues small = halved(full, half, values);
  PLAIT_ASSIGN(const auto one, LayerRun::create(*full_bench, values));
  PLAIT_ASSIGN(const auto two, LayerRun::create(*half_bench, small));
  trial.doing("forward and backward, " + half.text());
  PLAIT_TRY(one->all());
  PLAIT_TRY(two->all());
  PLAIT_TRY(two->check_memory());
  for (size_t i = 0; i < half.shapes.outputs.size(); ++i)
    PLAIT_TRY(compare(fmt::format("output {}", i), numbers(one->outputs[i], PLAIT_F32),
                      numbers(two->outputs[i], half.shapes.outputs[i].dtype)));
  return compare_gradients(half, *one, *two, *half_bench);
}

Result<LayerCase> in_bf16(const LayerCase& full) {
  std::vector<PartSpec> inputs = full.inputs;
  for (PartSpec& input : inputs)
    if (input.dtype == PLAIT_F32) input.dtype = PLAIT_BF16;
  return full.with_inputs(std::move(inputs));
}

bool is_real(const LayerCase& made) {
  for (const PartSpec& output : made.shapes.outputs)
    if (output.dtype != PLAIT_F32 && output.dtype != PLAIT_BF16) return false;
  return !made.inputs.empty();
}

Status bf16_steps(Trial& trial) {
  constexpr uint32_t kFlags = uint32_t{PLAIT_TYPE_TAKES_BF16} | uint32_t{PLAIT_TYPE_WANTS_BF16};
  if ((trial.type().flags & kFlags) == 0) return skipped("the layer computes in f32");
  if (trial.device() != nullptr) return skipped("precision: bf16 is computed on the processor");
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 48));
  int tried = 0;
  for (const LayerCase& full : cases) {
    const auto half = in_bf16(full);
    if (!half || !is_real(full) || !is_real(*half)) continue;
    if (half->shapes.outputs.size() != full.shapes.outputs.size() ||
        half->shapes.parameters.size() != full.shapes.parameters.size())
      return broken(half->text() + ": in bf16 it has other outputs or parameters than in f32");
    PLAIT_TRY(check_case(trial, full, *half).at(half->text()));
    ++tried;
  }
  if (tried == 0) return skipped("the layer takes bf16 in none of the cases, or not on this processor");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> layer_bf16_laws() {
  return {{"layer", "bf16_steps", Severity::kMust,
           "where it says that it takes bf16, outputs and gradients are those for the same numbers as f32",
           bf16_steps}};
}

}  // namespace plait::inline verify
