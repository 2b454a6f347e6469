// The loops of the exact sum, each compiled for the instruction sets that matter and chosen once at start.
// All versions give the same bits: multiplying by a power of two, rounding to nearest even and integer
// addition are exact or fully specified.
#pragma once
#include <cstdint>
#include <span>

namespace plait {

// Bits of the largest |x| as an integer of the same order; above kInfinityBits for a NaN. 0 when empty.
uint32_t largest_magnitude_bits(std::span<const float> x);
inline constexpr uint32_t kInfinityBits = 0x7f800000;

// sum += weight * round_to_nearest_even(x * scale). The caller has checked that nothing overflows;
// for 64 bits |x * scale| must be below 2^62.
// Shapes: sum [n], x [n]. scale is a power of two.
void add_scaled(std::span<int32_t> sum, std::span<const float> x, float scale, int32_t weight);
void add_scaled(std::span<int64_t> sum, std::span<const float> x, float scale, int32_t weight);

// out = f32(f64(sum) * unit / total_weight): one rounding to f64 (64-bit sums only), one of the division, one
// to f32. A mean that f32 could only hold as a denormal becomes 0; one beyond f32's range becomes the largest
// f32. Shapes: out [n], sum [n]
void write_mean(std::span<float> out, std::span<const int32_t> sum, double unit, double total_weight);
void write_mean(std::span<float> out, std::span<const int64_t> sum, double unit, double total_weight);

// f32 as an integer of the same order (-0 below +0), and back.
int32_t to_ordered(float x);
float from_ordered(int32_t ordered);

}  // namespace plait
