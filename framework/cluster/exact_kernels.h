// The loops of the exact sum, each compiled for the instruction sets that matter and chosen once at start.
// All versions give the same bits: values are taken apart and added as integers, and what is left in floating
// point is fully specified. No loop depends on how the processor treats denormals.
#pragma once
#include <cstdint>
#include <span>
#include <type_traits>

namespace plait::inline cluster {

// Bits of the largest |x| as an integer of the same order; above kInfinityBits for a NaN. 0 when empty.
uint32_t largest_magnitude_bits(std::span<const float> x);
inline constexpr uint32_t kInfinityBits = 0x7f800000;

// Window t = 0 .. 11 counts units u_t = 2^(24 t - 149). A finite x is cut from the highest window down: in
// each it has as many units as are nearest to what is left of it (ties to even). At most two of these numbers
// are not 0, their sum is x exactly, and each is at most 2^23 (exact_sum.h).
inline constexpr int kWindowBits = 24;
inline constexpr int kLowestPlace = -149;  // of the last bit of an f32
inline constexpr int kLastWindow = 11;

// Sums of n elements. Element i keeps two windows: window[i] >= 1 (in `high`) and the one below it (in
// `low`). They begin as zeros in window 1. Shapes: high [n], low [n], window [n]
template <class Integer>
struct Bins {
  using Window = std::conditional_t<std::is_const_v<Integer>, const uint8_t, uint8_t>;
  std::span<Integer> high, low;
  std::span<Window> window;
};

// Adds weight * x, in the higher of the element's window and x's own. The caller has checked that x is finite
// and that no sum overflows. Shapes: x [n]
void add_to_bins(const Bins<int32_t>& bins, std::span<const float> x, int32_t weight);
void add_to_bins(const Bins<int64_t>& bins, std::span<const float> x, int32_t weight);

// Adds the sums of `more`: every element moves up to the higher of the two windows, and what lies below the
// two windows kept is dropped. Shapes: more [n]
void add_bins(const Bins<int32_t>& bins, const Bins<const int32_t>& more);
void add_bins(const Bins<int64_t>& bins, const Bins<const int64_t>& more);

// out = f32(sum / total_weight), in f64 until the end. Denormals are given as they are, zero as +0, and what
// is beyond f32's range as the largest f32. Shapes: out [n]
void write_mean(std::span<float> out, const Bins<const int32_t>& bins, double total_weight);
void write_mean(std::span<float> out, const Bins<const int64_t>& bins, double total_weight);

// The same mean of values that are all at hand, to the bit, without bins. The caller has checked that they
// are finite. Shapes: x [shards] of [n] each, weights [shards], of total_weight together; out [n]
inline constexpr int64_t kLargestKeptTotal =
    64;  // 2^47 units of the lower window at most, times this: f64's 2^53
void write_mean_of(std::span<float> out, std::span<const float* const> x, std::span<const int32_t> weights,
                   double total_weight);

// f32 as an integer of the same order (-0 below +0), and back.
int32_t to_ordered(float x);
float from_ordered(int32_t ordered);

}  // namespace plait::inline cluster
