#include "registry/shape_text.h"

#include <array>

#include "base/checked.h"

namespace plait::inline registry {

const char* dtype_name(uint32_t dtype) {
  static constexpr std::array<const char*, 8> kNames = {"?", "f32", "bf16", "f16", "f64", "u8", "i32", "i64"};
  return dtype < kNames.size() ? kNames[dtype] : "?";
}

namespace {

std::string extent_text(int64_t extent) { return extent < 0 ? "?" : std::to_string(extent); }

}  // namespace

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + extent_text(shape[i]);
  return text + "]";
}

std::string shape_text(const PartSpec& spec) {
  std::string text = "[";
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    const int axis = static_cast<int>(i);
    const bool variable = axis == spec.variable_axis || axis == spec.second_axis;
    text += (i ? ", " : "") + std::string(variable ? "<=" : "") + extent_text(spec.shape[i]);
  }
  return text + "] " + dtype_name(spec.dtype);
}

uint64_t element_count(const std::vector<int64_t>& shape) {
  uint64_t count = 1;
  for (int64_t extent : shape) count = product_or_most(count, static_cast<uint64_t>(extent));
  return count;
}

uint64_t dtype_bytes(uint32_t dtype) {
  switch (dtype) {
    case PLAIT_F64:
    case PLAIT_I64:
      return 8;
    case PLAIT_BF16:
    case PLAIT_F16:
      return 2;
    case PLAIT_U8:
      return 1;
    default:
      return 4;
  }
}

uint64_t byte_count(const PartSpec& spec) {
  return product_or_most(element_count(spec.shape), dtype_bytes(spec.dtype));
}

}  // namespace plait::inline registry
