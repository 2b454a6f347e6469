#include "train/stage_init.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "pipeline/load.h"
#include "plan/wanted_values.h"
#include "registry/shape_text.h"

namespace plait::inline train {
namespace {

// 'stage "filters" (job.txtpb:2:1)'
std::string stage_text(const InitSpec& init) {
  const std::string origin = init.stage->origin_text();
  return origin.empty() ? "stage \"" + init.from + "\"" : origin;
}

Status refused(const InitSpec& init, const std::string& message) {
  return {Code::kInvalid, error_at(init.where, message)};
}

Result<const ParameterInfo*> find_parameter(const LayerSpec& layer, const InitSpec& init,
                                            const Network& network) {
  const std::string name = layer.name + "." + init.parameter;
  std::string known;
  for (const ParameterInfo& info : network.parameters) {
    if (info.name == name) return &info;
    if (info.name.starts_with(layer.name + "."))
      known += (known.empty() ? "" : ", ") + info.name.substr(layer.name.size() + 1);
  }
  return refused(init, fmt::format("layer \"{}\" has no \"{}\", {}", layer.name, init.parameter,
                                   known.empty() ? "and nothing else that could begin with an array"
                                                 : "only: " + known));
}

Result<const StageArrays::Array*> find_array(const InitSpec& init) {
  const std::vector<StageArrays::Array>& all = init.stage->arrays();
  const StageArrays::Array* found = init.stage->find(init.array.empty() ? init.parameter : init.array);
  if (found == nullptr && init.array.empty() && all.size() == 1) found = &all.front();
  if (found != nullptr) return found;
  return refused(init, fmt::format("{} makes no array \"{}\", only: {}", stage_text(init),
                                   init.array.empty() ? init.parameter : init.array, init.stage->text()));
}

// A first extent of -1 will be known once the stage has run.
Status check_shape(const InitSpec& init, const StageArrays::Array& array, const ParameterInfo& parameter) {
  const std::vector<int64_t>& got = array.spec.shape;
  const std::vector<int64_t>& wanted = parameter.shape;
  const auto rest = [](const std::vector<int64_t>& shape) {
    return element_count({shape.begin() + (shape.empty() ? 0 : 1), shape.end()});
  };
  const bool is_same_count = !got.empty() && !wanted.empty() &&
                             (got.front() == wanted.front() || got.front() == -1) &&
                             rest(got) == rest(wanted);
  if (is_same_count) return {};
  return refused(init, fmt::format("array {} of {} does not fit {} {}", part_text(array.spec),
                                   stage_text(init), parameter.name, shape_text(wanted)));
}

template <class V>
void copy_as_double(const std::vector<std::byte>& bytes, std::vector<double>& to) {
  for (size_t i = 0; i < to.size(); ++i) {
    V value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    to[i] = static_cast<double>(value);
  }
}

Result<std::vector<double>> numbers_of(const InitSpec& init, const StageArrays::Array& array) {
  std::vector<double> numbers(element_count(array.spec.shape));
  switch (array.spec.dtype) {
    case PLAIT_F32:
      copy_as_double<float>(array.bytes, numbers);
      break;
    case PLAIT_F64:
      copy_as_double<double>(array.bytes, numbers);
      break;
    case PLAIT_U8:
      copy_as_double<uint8_t>(array.bytes, numbers);
      break;
    case PLAIT_I32:
      copy_as_double<int32_t>(array.bytes, numbers);
      break;
    case PLAIT_I64:
      copy_as_double<int64_t>(array.bytes, numbers);
      break;
    default:
      return refused(init,
                     "array " + part_text(array.spec) + " of " + stage_text(init) + ", wanted f32 or f64");
  }
  return numbers;
}

// From [O, extents..., I] to [O, I, extents...].
std::vector<float> channels_first(const std::vector<float>& from, const std::vector<int64_t>& shape) {
  const auto outputs = static_cast<size_t>(shape[0]), inputs = static_cast<size_t>(shape[1]);
  const size_t places = from.size() / (outputs * inputs);
  std::vector<float> to(from.size());
  for (size_t o = 0; o < outputs; ++o)
    for (size_t i = 0; i < inputs; ++i)
      for (size_t at = 0; at < places; ++at)
        to[(o * inputs + i) * places + at] = from[(o * places + at) * inputs + i];
  return to;
}

Result<NamedTensor> tensor_of(const InitSpec& init, const StageArrays::Array& array,
                              const ParameterInfo& parameter) {
  PLAIT_ASSIGN(const std::vector<double> numbers, numbers_of(init, array));
  NamedTensor tensor{parameter.name, parameter.shape, std::vector<float>(numbers.size())};
  std::ranges::transform(numbers, tensor.values.begin(),
                         [](double number) { return static_cast<float>(number); });
  if (const std::string bad = unwanted_value(parameter, tensor.values); !bad.empty())
    return Status(Code::kNumeric, error_at(init.where, fmt::format("array {} of {}: {}: {}", array.spec.name,
                                                                   stage_text(init), parameter.name, bad)));
  if (parameter.shape.size() > 2) tensor.values = channels_first(tensor.values, parameter.shape);
  return tensor;
}

// What is drawn for a buffer is known now; of a parameter, which may be large, what it is drawn from.
Status check_drawn(const InitSpec& init, const ParameterInfo& parameter, uint64_t seed) {
  if (init.distribution.word.empty()) return {};
  std::vector<float> values = {static_cast<float>(parameter.init_a), static_cast<float>(parameter.init_b),
                               static_cast<float>(parameter.gain)};
  if (parameter.buffer) {
    values.resize(parameter.elements);
    PLAIT_TRY(initial_values(parameter, seed, values.data()));
  }
  const std::string bad = unwanted_value(parameter, values);
  if (bad.empty()) return {};
  return refused(init, fmt::format("init: {} for {}: {}", init.distribution.word, parameter.name, bad));
}

}  // namespace

Status check_inits(const Job& job, const Network& network) {
  for (const LayerSpec& layer : job.layers) {
    for (const InitSpec& init : layer.init) {
      PLAIT_ASSIGN(const ParameterInfo* const parameter, find_parameter(layer, init, network));
      PLAIT_TRY(check_drawn(init, *parameter, job.seed));
      if (!init.stage) continue;
      PLAIT_ASSIGN(const StageArrays::Array* const array, find_array(init));
      PLAIT_TRY(check_shape(init, *array, *parameter));
    }
  }
  return {};
}

Result<NamedTensors> init_tensors(const Job& job, const Network& network) {
  NamedTensors tensors;
  for (const LayerSpec& layer : job.layers) {
    for (const InitSpec& init : layer.init) {
      if (!init.stage) continue;
      PLAIT_ASSIGN(const ParameterInfo* const parameter, find_parameter(layer, init, network));
      PLAIT_ASSIGN(const StageArrays::Array* const array, find_array(init));
      PLAIT_TRY(check_shape(init, *array, *parameter));
      PLAIT_ASSIGN(NamedTensor tensor, tensor_of(init, *array, *parameter));
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

}  // namespace plait::inline train
