// The law of layers about inputs of 16 bits.
#include <fmt/format.h>

#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/half.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

bool is_half(uint32_t dtype) { return dtype == PLAIT_BF16 || dtype == PLAIT_F16; }

Result<LayerCase> with_dtype(const LayerCase& made, uint32_t dtype) {
  std::vector<PartSpec> inputs = made.inputs;
  for (PartSpec& input : inputs)
    if (input.dtype == PLAIT_F32) input.dtype = dtype;
  return made.with_inputs(std::move(inputs));
}

// The same numbers as 16 bits, of which they need no more than seven.
LayerValues rounded(const LayerCase& made, LayerValues& values, uint32_t dtype) {
  LayerValues half = values;
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    if (made.inputs[i].dtype != PLAIT_F32) continue;
    auto* x = reinterpret_cast<float*>(values.inputs[i].data());
    const size_t count = values.inputs[i].size() / sizeof(float);
    half.inputs[i].resize(count * sizeof(uint16_t));
    for (size_t k = 0; k < count; ++k) {
      x[k] = std::round(64 * x[k]) / 64;
      const uint16_t bits = to_half(x[k], dtype);
      std::memcpy(half.inputs[i].data() + 2 * k, &bits, sizeof bits);
    }
  }
  return half;
}

double element(const Guarded& block, uint32_t dtype, uint64_t k) {
  return is_half(dtype) ? from_half(block.as<uint16_t>()[k], dtype) : block.as<float>()[k];
}

Status compare(const LayerCase& made, const LayerRun& full, const LayerRun& half, uint32_t dtype) {
  // Inputs are exact: a result is off by its own rounding, and by those of sums kept in 16 bits.
  const double share = dtype == PLAIT_BF16 ? 0x1p-5 : 0x1p-8;
  for (size_t i = 0; i < full.outputs.size(); ++i) {
    const uint32_t out = made.shapes.outputs[i].dtype;
    if (!is_half(out) && out != PLAIT_F32) continue;
    const uint64_t count = element_count(made.shapes.outputs[i].shape);
    double most = 0;
    for (uint64_t k = 0; k < count; ++k)
      most = std::max(most, std::abs(static_cast<double>(full.outputs[i].as<float>()[k])));
    for (uint64_t k = 0; k < count; ++k) {
      const double wanted = full.outputs[i].as<float>()[k], got = element(half.outputs[i], out, k);
      if (!(std::abs(wanted - got) <= share * most))
        return broken(
            fmt::format("output {}, element {}, is {:.6g} for inputs of {}, {:.6g} for the same of f32", i, k,
                        got, dtype_name(dtype), wanted));
    }
  }
  return {};
}

Status check_half(Trial& trial, const LayerCase& full, const LayerCase& half, uint32_t dtype) {
  BenchOptions options;
  options.training = false;
  LayerRunOptions run;
  run.training = false;
  PLAIT_ASSIGN(auto full_bench, LayerBench::create(trial, full, options));
  PLAIT_ASSIGN(auto half_bench, LayerBench::create(trial, half, options));
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, full));
  const LayerValues small = rounded(full, values, dtype);
  PLAIT_ASSIGN(auto one, LayerRun::create(*full_bench, values, run));
  PLAIT_ASSIGN(auto two, LayerRun::create(*half_bench, small, run));
  trial.doing("forward, " + half.text());
  PLAIT_TRY(one->all());
  PLAIT_TRY(two->all());
  PLAIT_TRY(two->check_memory());
  return compare(half, *one, *two, dtype);
}

Status half_inputs(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 12));
  int tried = 0;
  for (const LayerCase& full : cases) {
    if (full.inputs.empty() || full.inputs[0].dtype != PLAIT_F32) continue;
    for (const uint32_t dtype : {PLAIT_BF16, PLAIT_F16}) {
      if (dtype == PLAIT_BF16 && trial.device() != nullptr) continue;  // computed on the processor: see train
      const auto half = with_dtype(full, dtype);
      if (!half || half->shapes.outputs.size() != full.shapes.outputs.size()) continue;
      PLAIT_TRY(check_half(trial, full, *half, dtype).at(half->text()));
      ++tried;
    }
  }
  if (tried == 0) return skipped("the layer takes no inputs of 16 bits");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> layer_half_laws() {
  return {{"layer", "half_inputs", Severity::kMust,
           "where it takes bf16 or f16, results are those for the same numbers as f32", half_inputs}};
}

}  // namespace plait::inline verify
