// Numbers of 16 bits: bf16 and f16.
#pragma once
#include <cstdint>

namespace plait::inline verify {

// `dtype`: PLAIT_BF16 or PLAIT_F16. to_half rounds to the nearest, ties to even; beyond the range: infinity.
uint16_t to_half(float value, uint32_t dtype);
float from_half(uint16_t bits, uint32_t dtype);

}  // namespace plait::inline verify
