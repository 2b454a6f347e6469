#include "graph/sample_cast.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "graph/padding.h"
#include "registry/shape_text.h"

namespace plait::inline graph {
namespace {

float from_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

// A denormal half is mantissa * 2^-24; others only move their exponent's zero from 15 to 127.
float from_f16(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16, exponent = bits >> 10 & 0x1F, mantissa = bits & 0x3FF;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 0x1F ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

// Fixed inner counts, so that the compiler uses vectors.
template <class From, class Convert>
void cast(const void* from_data, void* to_data, uint64_t count, Convert convert) {
  constexpr uint64_t kBlock = 32;
  const auto* from = static_cast<const From*>(from_data);
  auto* to = static_cast<float*>(to_data);
  uint64_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    for (uint64_t j = 0; j < kBlock; ++j) to[i + j] = convert(from[i + j]);
  }
  for (; i < count; ++i) to[i] = convert(from[i]);
}

}  // namespace

uint64_t element_count(const PartSpec& part) {
  uint64_t count = 1;
  for (int64_t extent : part.shape) count *= static_cast<uint64_t>(extent);
  return count;
}

uint32_t batch_dtype(uint32_t dtype) {
  return dtype == PLAIT_I32 || dtype == PLAIT_I64 ? dtype : uint32_t{PLAIT_F32};
}

void cast_to_batch(uint32_t dtype, const void* from, void* to, uint64_t count) {
  switch (dtype) {
    case PLAIT_U8:
      return cast<uint8_t>(from, to, count, [](uint8_t x) { return static_cast<float>(x); });
    case PLAIT_F64:
      return cast<double>(from, to, count, [](double x) { return static_cast<float>(x); });
    case PLAIT_BF16:
      return cast<uint16_t>(from, to, count, from_bf16);
    case PLAIT_F16:
      return cast<uint16_t>(from, to, count, from_f16);
    default:
      std::memcpy(to, from, count * dtype_bytes(dtype));
  }
}

void zero_past(const PartSpec& part, const int32_t* const extents[2], uint64_t bytes, void* data) {
  SampleGrid(part, extents).each_past([&](uint64_t at, uint64_t count) {
    std::memset(static_cast<std::byte*>(data) + at * bytes, 0, count * bytes);
  });
}

}  // namespace plait::inline graph
