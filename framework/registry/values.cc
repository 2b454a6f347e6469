#include "registry/values.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace plait::inline registry {

bool is_value_kind(uint32_t kind) { return kind >= PLAIT_VALUE_BYTES && kind <= PLAIT_VALUE_SUM; }

const char* value_kind_name(uint32_t kind) {
  static constexpr const char* kNames[] = {"no kind of value", "bytes", "i64", "f64", "sum of f64"};
  return kNames[is_value_kind(kind) ? kind : 0];
}

size_t value_bytes(uint32_t kind) {
  if (kind == PLAIT_VALUE_SUM) return sizeof(plait_sum);
  return kind == PLAIT_VALUE_BYTES ? 0 : sizeof(int64_t);
}

std::string value_fault(uint32_t kind, std::string_view value) {
  if (kind == PLAIT_VALUE_BYTES)
    return value.size() > PLAIT_MAX_VALUE ? fmt::format("{} bytes, more than a value may have", value.size())
                                          : "";
  if (value.size() != value_bytes(kind))
    return fmt::format("{} bytes, wanted {} for {}", value.size(), value_bytes(kind), value_kind_name(kind));
  if (kind != PLAIT_VALUE_F64) return "";
  double number = 0;
  std::memcpy(&number, value.data(), sizeof number);
  return std::isfinite(number) ? "" : fmt::format("{}, which no f64 may be", number);
}

}  // namespace plait::inline registry
