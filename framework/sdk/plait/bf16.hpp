// bf16 for plugins: numbers as their 16 bits, arrays of them to f32 and back, and layers that compute in it
// (train { precision: bf16 }). Optional; sdk.hpp does not include it.
//
//   PLAIT_PLUGIN("acme.plane", "1.0.0", "Apache-2.0", wants_bf16(layer<Plane>("acme.plane")));
//
//   void infer(LayerShapes& s) const {     // r.input().dtype() in a Kernel says which of both it is
//     if (s.input().dtype() != DType::f32 && s.input().dtype() != DType::bf16) s.fail(...);
//     s.output(...);                       // of the first input's type
//   }
//
// Rounding is to the nearest, ties to even; beyond the range infinity; NaN stays NaN. The same bits on every
// processor. Threads: [any]
#pragma once
#include <plait/bf16.h>

#include <cstddef>
#include <cstdint>

#include <plait/sdk.hpp>
#include <plait/sdk/fast.hpp>

namespace plait::sdk {

// A layer that computes in bf16 where its inputs are bf16 already: see plait/bf16.h.
inline Entry takes_bf16(Entry layer) {
  layer.type.flags |= uint32_t{PLAIT_TYPE_TAKES_BF16};
  return layer;
}
// A layer whose inputs are worth converting.
inline Entry wants_bf16(Entry layer) {
  layer.type.flags |= uint32_t{PLAIT_TYPE_WANTS_BF16};
  return layer;
}

inline bool is_f32_or_bf16(DType type) { return type == DType::f32 || type == DType::bf16; }

PLAIT_INLINE float f32_of_bf16(uint16_t upper) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(upper) << 16);
}
PLAIT_INLINE uint16_t bf16_of_f32(float x) {
  const auto bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = bits + 0x7FFFu + ((bits >> 16) & 1u);
  const uint32_t quiet = bits | 0x400000u;
  return static_cast<uint16_t>(((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded) >> 16);
}

[[maybe_unused]] PLAIT_FAST static void widen_bf16(const uint16_t* from, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = f32_of_bf16(from[i]);
}
[[maybe_unused]] PLAIT_FAST static void round_to_bf16(const float* from, uint16_t* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = bf16_of_f32(from[i]);
}
// to += from, each sum rounded once.
[[maybe_unused]] PLAIT_FAST static void add_bf16(uint16_t* to, const uint16_t* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = bf16_of_f32(f32_of_bf16(to[i]) + f32_of_bf16(from[i]));
}

// For loops that compute in f32 whatever their tensors are, a tile [count] at a time: what is read, as f32,
// widened into `room` where it is bf16; where to compute what goes to `to`, there or in `room`; and its way
// there.
inline const float* in_f32(const float* from, float*, size_t) { return from; }
inline const float* in_f32(const uint16_t* from, float* room, size_t count) {
  widen_bf16(from, room, count);
  return room;
}
inline float* place_of_f32(float* to, float*) { return to; }
inline float* place_of_f32(uint16_t*, float* room) { return room; }
inline void keep_f32(const float*, float*, size_t) {}
inline void keep_f32(const float* made, uint16_t* to, size_t count) { round_to_bf16(made, to, count); }

}  // namespace plait::sdk
