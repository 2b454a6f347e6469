// Shapes and element types as text and as sizes.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "registry/parts.h"

namespace plait::inline registry {

const char* dtype_name(uint32_t dtype);                     // "f32"
std::string shape_text(const std::vector<int64_t>& shape);  // "[32, 28, 28, 1]"; an extent not known yet as "?"
std::string shape_text(const PartSpec& spec);  // "[32, 28, 28, 1] f32"; variable extents as "<=80"
// Elements and bytes: the largest number where they are beyond 64 bits.
uint64_t element_count(const std::vector<int64_t>& shape);
uint64_t dtype_bytes(uint32_t dtype);
uint64_t byte_count(const PartSpec& spec);

}  // namespace plait::inline registry
