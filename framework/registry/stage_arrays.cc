#include "registry/stage_arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "registry/shape_text.h"

namespace plait::inline registry {
namespace {

bool is_as_declared(const PartSpec& declared, const PartSpec& made) {
  if (declared.name != made.name || declared.dtype != made.dtype ||
      declared.shape.size() != made.shape.size())
    return false;
  for (size_t i = 0; i < made.shape.size(); ++i)
    if (declared.shape[i] != made.shape[i] && !(i == 0 && declared.shape[i] == -1)) return false;
  return true;
}

}  // namespace

void StageArrays::declare(const std::vector<PartSpec>& specs) {
  arrays_.clear();
  for (const PartSpec& spec : specs) arrays_.push_back({spec, {}});
  has_values_ = false;
  make_tables();
}

void StageArrays::set_origin(std::string stage, std::string place) {
  stage_ = std::move(stage);
  place_ = std::move(place);
}

std::string StageArrays::origin_text() const {
  return place_.empty() ? "" : fmt::format("stage \"{}\" ({})", stage_, place_);
}

Status StageArrays::set(std::vector<Array> arrays) {
  if (is_declared() && arrays.size() != arrays_.size())
    return {Code::kInvalid, fmt::format("{} arrays, wanted {}: {}", arrays.size(), arrays_.size(), text())};
  for (size_t i = 0; i < arrays.size(); ++i) {
    const PartSpec& spec = arrays[i].spec;
    const Array* declared = find(spec.name);
    if (is_declared() && (declared == nullptr || !is_as_declared(declared->spec, spec)))
      return {Code::kInvalid, fmt::format("array {}, wanted {}", part_text(spec), text())};
    uint64_t bytes = dtype_bytes(spec.dtype);
    for (const int64_t extent : spec.shape) bytes *= static_cast<uint64_t>(extent);
    if (bytes != arrays[i].bytes.size())
      return {Code::kInvalid, fmt::format("array {} has {} bytes, wanted {}", part_text(spec),
                                          arrays[i].bytes.size(), bytes)};
  }
  arrays_ = std::move(arrays);
  has_values_ = true;
  make_tables();
  return {};
}

void StageArrays::make_tables() {
  tensors_.clear();
  pointers_.clear();
  for (Array& array : arrays_) {
    plait_tensor& tensor = tensors_.emplace_back();
    tensor.struct_size = sizeof tensor;
    tensor.dtype = array.spec.dtype;
    tensor.rank = static_cast<int32_t>(array.spec.shape.size());
    tensor.variable_axis = -1;
    tensor.shape = array.spec.shape.data();
    tensor.data = has_values_ ? array.bytes.data() : nullptr;
    tensor.name = array.spec.name.c_str();
  }
  for (const plait_tensor& tensor : tensors_) pointers_.push_back(&tensor);
  output_ = {sizeof output_, static_cast<uint32_t>(pointers_.size()), pointers_.data()};
}

const StageArrays::Array* StageArrays::find(std::string_view name) const {
  const auto found = std::ranges::find_if(arrays_, [&](const Array& one) { return one.spec.name == name; });
  return found == arrays_.end() ? nullptr : &*found;
}

std::string StageArrays::text() const {
  std::string names;
  for (const Array& array : arrays_) names += (names.empty() ? "" : ", ") + part_text(array.spec);
  return names;
}

bool waits_for_stage(const plait_config& config) {
  std::vector<const StageArrays*> named;
  add_stages(config, named);
  return std::ranges::any_of(named, [](const StageArrays* one) { return !one->has_values(); });
}

void add_stages(const plait_config& config, std::vector<const StageArrays*>& to) {
  for (const ConfigField& field : config.fields) {
    for (const auto& stage : field.stages)
      if (stage != nullptr) to.push_back(stage.get());
    for (const ConfigValue& value : field.values) {
      if (const auto* nested = std::get_if<std::shared_ptr<plait_config>>(&value); nested && *nested)
        add_stages(**nested, to);
      if (const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value); child && (*child)->config)
        add_stages(*(*child)->config, to);
    }
  }
}

std::string origins_text(const std::vector<const StageArrays*>& stages) {
  std::set<std::string> told;
  std::string text;
  for (const StageArrays* one : stages) {
    const std::string origin = one->origin_text();
    if (!origin.empty() && told.insert(origin).second) text += ", with " + origin;
  }
  return text;
}

std::string origins_text(const plait_config& config) {
  std::vector<const StageArrays*> stages;
  add_stages(config, stages);
  return origins_text(stages);
}

}  // namespace plait::inline registry
