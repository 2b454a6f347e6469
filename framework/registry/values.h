// What the bytes of a value by key are, of PLAIT_VALUE_*.
#pragma once
#include <plait/abi.h>

#include <string>
#include <string_view>

namespace plait::inline registry {

bool is_value_kind(uint32_t kind);
// "bytes", "i64", "f64", "sum of f64".
const char* value_kind_name(uint32_t kind);
// Bytes of every value of the kind; 0 where they differ.
size_t value_bytes(uint32_t kind);
// What is wrong with a value of that kind: "4 bytes, wanted 8 for i64", "NaN, which no f64 may be"; "" where
// nothing is. Threads: [any]
std::string value_fault(uint32_t kind, std::string_view value);

}  // namespace plait::inline registry
