// What goes into a layer under test.
#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/half.h"

namespace plait::inline verify {
namespace {

double draw_number(Dice& dice, const Sizes& sizes) {
  if (sizes.least == 0) return dice.between(-sizes.most, sizes.most);
  const double size = std::exp2(dice.between(std::log2(sizes.least), std::log2(sizes.most)));
  return dice.coin() ? size : -size;
}

std::vector<uint8_t> draw_input(Dice& dice, const LayerCase& made, size_t input, const Sizes& sizes) {
  const PartSpec& spec = made.inputs[input];
  const InputRange* range = made.range(input);
  const int64_t low = range != nullptr ? range->low : 0,
                high = range != nullptr ? range->high : made.integer_bound;
  std::vector<uint8_t> bytes(byte_count(spec));
  const uint64_t count = element_count(spec.shape);
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t wide = low + static_cast<int64_t>(dice.below(static_cast<uint64_t>(high - low)));
    const auto integer = static_cast<int32_t>(wide);
    const auto number =
        static_cast<float>(range != nullptr ? static_cast<double>(wide) : draw_number(dice, sizes));
    const double exact = number;
    switch (spec.dtype) {
      case PLAIT_F32:
        std::memcpy(&bytes[4 * i], &number, 4);
        break;
      case PLAIT_F64:
        std::memcpy(&bytes[8 * i], &exact, 8);
        break;
      case PLAIT_I32:
        std::memcpy(&bytes[4 * i], &integer, 4);
        break;
      case PLAIT_I64:
        std::memcpy(&bytes[8 * i], &wide, 8);
        break;
      case PLAIT_U8:
        bytes[i] = static_cast<uint8_t>(integer);
        break;
      case PLAIT_BF16:
      case PLAIT_F16: {
        const uint16_t half = to_half(number, spec.dtype);
        std::memcpy(&bytes[2 * i], &half, 2);
        break;
      }
      default:
        break;
    }
  }
  return bytes;
}

// Noise keeps biases and scales from their special values 0 and 1.
Result<std::vector<float>> draw_parameter(Trial& trial, const ParameterInfo& info, double noise) {
  std::vector<float> values(info.elements);
  PLAIT_TRY(initial_values(info, 1, values.data()));
  for (float& value : values) value += static_cast<float>(noise * trial.dice().between(-1, 1));
  return values;
}

}  // namespace

Result<LayerValues> draw_values(Trial& trial, const LayerCase& made, Sizes inputs,
                                std::optional<Sizes> parameters) {
  LayerValues values;
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    values.inputs.push_back(draw_input(trial.dice(), made, i, inputs));
    values.lengths.emplace_back();
    values.second_lengths.emplace_back();
  }
  for (const ParameterInfo& info : made.shapes.parameters) {
    const bool learns = info.reduce != PLAIT_REDUCE_NONE;
    PLAIT_ASSIGN(auto drawn, draw_parameter(trial, info, learns ? 0.2 : 0));
    for (float& value : drawn)
      if (learns && parameters) value = static_cast<float>(draw_number(trial.dice(), *parameters));
    values.parameters.push_back(std::move(drawn));
  }
  for (const ParameterInfo& info : made.shapes.buffers) {
    PLAIT_ASSIGN(auto drawn, draw_parameter(trial, info, 0));
    values.buffers.push_back(std::move(drawn));
  }
  for (const PartSpec& output : made.shapes.outputs) {
    std::vector<float> gradient(element_count(output.shape));
    for (float& value : gradient) value = static_cast<float>(trial.dice().between(-1, 1));
    values.output_gradients.push_back(std::move(gradient));
  }
  return values;
}

LayerValues sample_of(const LayerCase& made, const LayerValues& values, int64_t n) {
  LayerValues sample = values;
  const auto place = static_cast<uint64_t>(n);
  for (size_t i = 0; i < values.inputs.size(); ++i) {
    const uint64_t size = values.inputs[i].size() / static_cast<uint64_t>(made.inputs[i].shape[0]);
    const auto begin = values.inputs[i].begin() + static_cast<int64_t>(place * size);
    sample.inputs[i].assign(begin, begin + static_cast<int64_t>(size));
    if (!values.lengths[i].empty()) sample.lengths[i] = {values.lengths[i][place]};
    if (!values.second_lengths[i].empty()) sample.second_lengths[i] = {values.second_lengths[i][place]};
  }
  for (size_t i = 0; i < values.output_gradients.size(); ++i) {
    const auto& all = values.output_gradients[i];
    const uint64_t size = all.size() / static_cast<uint64_t>(made.shapes.outputs[i].shape[0]);
    const auto begin = all.begin() + static_cast<int64_t>(place * size);
    sample.output_gradients[i].assign(begin, begin + static_cast<int64_t>(size));
  }
  return sample;
}

Result<bool> is_random(Trial& trial, const LayerBench& bench, const LayerValues& values) {
  trial.doing("forward with other random numbers, " + bench.layer().text());
  LayerRunOptions options, other;
  other.counter = 8, other.step = 4;
  PLAIT_ASSIGN(auto first, LayerRun::create(bench, values, options));
  PLAIT_ASSIGN(auto second, LayerRun::create(bench, values, other));
  PLAIT_TRY(first->prepare());
  PLAIT_TRY(second->prepare());
  PLAIT_TRY(first->forward());
  PLAIT_TRY(second->forward());
  for (size_t i = 0; i < first->outputs.size(); ++i)
    if (!first->outputs[i].same_bits(second->outputs[i])) return true;
  return false;
}

}  // namespace plait::inline verify
