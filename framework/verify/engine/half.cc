#include "verify/engine/half.h"

#include <plait/abi.h>

#include <bit>
#include <cmath>

namespace plait::inline verify {
namespace {

constexpr uint32_t kHalfInfinity = 0x7C00;

// Eleven bits of precision, exponents from -14; below them steps of 2^-24.
uint16_t to_f16(float value) {
  const uint32_t sign = std::bit_cast<uint32_t>(value) >> 16 & 0x8000u;
  const double size = std::abs(static_cast<double>(value));
  if (std::isnan(value)) return static_cast<uint16_t>(sign | kHalfInfinity | 0x200);
  int exponent = 0;
  std::frexp(size, &exponent);  // size = f 2^exponent, f in [1/2, 1)
  const int step = size == 0 ? -24 : std::max(exponent - 11, -24);
  const double steps = std::nearbyint(std::ldexp(size, -step));
  // Where steps reach 2^11 the sum carries into the exponent, as it should.
  const double bits = step == -24 ? steps : steps + (step + 24) * 1024.0;
  if (!(bits < kHalfInfinity)) return static_cast<uint16_t>(sign | kHalfInfinity);
  return static_cast<uint16_t>(sign | static_cast<uint32_t>(bits));
}

float from_f16(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1F, fraction = bits & 0x3FF;
  float size = 0;
  if (exponent == 0x1F)
    size = fraction == 0 ? HUGE_VALF : NAN;
  else if (exponent == 0)
    size = std::ldexp(static_cast<float>(fraction), -24);
  else
    size = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return bits & 0x8000 ? -size : size;
}

}  // namespace

uint16_t to_half(float value, uint32_t dtype) {
  if (dtype == PLAIT_F16) return to_f16(value);
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

float from_half(uint16_t bits, uint32_t dtype) {
  return dtype == PLAIT_F16 ? from_f16(bits) : std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

}  // namespace plait::inline verify
