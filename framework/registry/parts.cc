#include "registry/parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "base/shown.h"
#include "registry/shape_text.h"

namespace plait::inline registry {
namespace {

Status invalid(std::string message) { return {Code::kInvalid, std::move(message)}; }

}  // namespace

const PartSpec* find_part(const std::vector<PartSpec>& parts, const std::string& name) {
  const auto found = std::ranges::find(parts, name, &PartSpec::name);
  return found == parts.end() ? nullptr : &*found;
}

plait_tensor_spec PartSpec::raw() const {
  plait_tensor_spec spec{};
  spec.struct_size = sizeof spec;
  spec.dtype = dtype;
  spec.rank = static_cast<int32_t>(std::min<size_t>(shape.size(), PLAIT_MAX_RANK));
  spec.variable_axis = variable_axis;
  spec.second_axis = std::max(second_axis, 0);
  std::copy_n(shape.begin(), spec.rank, spec.shape);
  spec.name = name.c_str();
  return spec;
}

PartSpec with_batch(const PartSpec& part, int64_t extent) {
  PartSpec batch = part;
  batch.shape.insert(batch.shape.begin(), extent);
  if (batch.variable_axis >= 0) ++batch.variable_axis;
  if (batch.second_axis >= 0) ++batch.second_axis;
  return batch;
}

plait_tensor tensor_of(const PartSpec& part) {
  plait_tensor tensor{};
  tensor.struct_size = sizeof tensor;
  tensor.dtype = part.dtype;
  tensor.rank = static_cast<int32_t>(part.shape.size());
  tensor.variable_axis = part.variable_axis;
  tensor.second_axis = std::max(part.second_axis, 0);
  tensor.shape = part.shape.data();
  tensor.name = part.name.c_str();
  return tensor;
}

Status check_second_axis(const plait_type& type, const PartSpec& tensor, const std::string& what) {
  if (tensor.second_axis < 0 || (type.flags & PLAIT_TYPE_TWO_AXES) != 0) return {};
  return invalid(fmt::format("{} {} varies along axes {} and {}, wanted at most one that varies", what,
                             shape_text(tensor), tensor.variable_axis, tensor.second_axis));
}

Result<int> second_axis_of(const plait_tensor_spec& spec, const std::string& place) {
  const plait_tensor_spec* const said = &spec;
  if (!PLAIT_HAS(said, second_axis)) return -1;
  if (spec.variable_axis >= 0 && spec.second_axis > spec.variable_axis && spec.second_axis < spec.rank)
    return spec.second_axis;
  return Status{Code::kInvalid,
                fmt::format("{}: second variable axis {} of {} axes, wanted one after the first, {}", place,
                            spec.second_axis, spec.rank, spec.variable_axis)};
}

std::string part_text(const PartSpec& part) {
  std::vector<std::string> extents;
  for (size_t axis = 0; axis < part.shape.size(); ++axis) {
    const int number = static_cast<int>(axis);
    const bool variable = number == part.variable_axis || number == part.second_axis;
    extents.push_back(fmt::format("{}{}", variable ? "<=" : "", part.shape[axis]));
  }
  return fmt::format("{} [{}] {}", part.name, fmt::join(extents, ", "), dtype_name(part.dtype));
}

Result<PartSpec> part_of(const plait_tensor_spec& spec) {
  if (spec.name == nullptr || *spec.name == '\0') return invalid("a part without a name");
  PLAIT_TRY(check_name(spec.name, "part"));
  const std::string place = fmt::format("part \"{}\"", spec.name);
  if (spec.dtype < PLAIT_F32 || spec.dtype > PLAIT_I64)
    return invalid(fmt::format("{}: unknown element type {}", place, spec.dtype));
  if (spec.rank < 0 || spec.rank > PLAIT_MAX_RANK) {
    return invalid(fmt::format("{}: got {} axes, wanted 0 to {}", place, spec.rank, PLAIT_MAX_RANK));
  }
  if (spec.variable_axis < -1 || spec.variable_axis >= spec.rank) {
    return invalid(fmt::format("{}: variable axis {} of {} axes", place, spec.variable_axis, spec.rank));
  }
  PLAIT_ASSIGN(const int second, second_axis_of(spec, place));
  PartSpec part{spec.name, spec.dtype, {spec.shape, spec.shape + spec.rank}, spec.variable_axis, second};
  if (std::any_of(part.shape.begin(), part.shape.end(), [](int64_t extent) { return extent < 1; })) {
    return invalid(fmt::format("{}: got extents [{}], wanted each >= 1", place, fmt::join(part.shape, ", ")));
  }
  uint64_t elements = 1;
  for (int64_t extent : part.shape) elements = product_or_most(elements, static_cast<uint64_t>(extent));
  if (elements > kMostTensorElements) {
    return invalid(fmt::format("{}: extents [{}] are more elements than any memory holds", place,
                               fmt::join(part.shape, ", ")));
  }
  return part;
}

RawParts::RawParts(const std::vector<PartSpec>& parts) {
  for (const auto& part : parts) specs_.push_back(part.raw());
  for (const auto& spec : specs_) pointers_.push_back(&spec);
}

PartsCollector::PartsCollector() {
  builder_.struct_size = sizeof builder_;
  builder_.host_data = this;
  builder_.part = part;
}

int PartsCollector::part(const plait_parts_builder* builder, const plait_tensor_spec* spec) {
  auto& self = *static_cast<PartsCollector*>(builder->host_data);
  Status status = self.add(spec);
  if (status) return PLAIT_OK;
  if (self.refused_) self.refused_ = std::move(status);
  return PLAIT_FAILED;
}

Status PartsCollector::add(const plait_tensor_spec* spec) {
  if (spec == nullptr) return invalid("a part that is null");
  PLAIT_ASSIGN(auto part, part_of(*spec));
  const auto same = [&](const PartSpec& other) { return other.name == part.name; };
  if (std::any_of(parts_.begin(), parts_.end(), same))
    return invalid(fmt::format("two parts \"{}\"", part.name));
  parts_.push_back(std::move(part));
  return {};
}

Result<std::vector<PartSpec>> PartsCollector::take(const Status& call) {
  PLAIT_TRY(refused_);
  PLAIT_TRY(call);
  if (parts_.empty()) return invalid("no part comes out");
  return std::move(parts_);
}

}  // namespace plait::inline registry
