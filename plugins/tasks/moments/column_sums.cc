#include "column_sums.h"

#include <plait/sdk/fast.hpp>

namespace plait::moments {
namespace {

// Two loops, as a lane holds 16 or 32 bytes of the one and 4 or 8 of the other.
PLAIT_FAST void add_byte_sums(const uint8_t* __restrict values, size_t count, uint32_t* __restrict sums,
                              uint32_t* __restrict squares) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t value = values[i];
    sums[i] += value;
    squares[i] += value * value;
  }
}

PLAIT_FAST void add_byte_extremes(const uint8_t* __restrict values, size_t count, uint8_t* __restrict low,
                                  uint8_t* __restrict high) {
  for (size_t i = 0; i < count; ++i) {
    low[i] = values[i] < low[i] ? values[i] : low[i];
    high[i] = values[i] > high[i] ? values[i] : high[i];
  }
}

template <class V>
PLAIT_INLINE void to_doubles(const V* __restrict from, size_t count, double* __restrict to) {
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<double>(from[i]);
}
PLAIT_FAST void widen_f32(const float* from, size_t count, double* to) { to_doubles(from, count, to); }
PLAIT_FAST void widen_f64(const double* from, size_t count, double* to) { to_doubles(from, count, to); }
PLAIT_FAST void widen_u8(const uint8_t* from, size_t count, double* to) { to_doubles(from, count, to); }
PLAIT_FAST void widen_i32(const int32_t* from, size_t count, double* to) { to_doubles(from, count, to); }
PLAIT_FAST void widen_i64(const int64_t* from, size_t count, double* to) { to_doubles(from, count, to); }

}  // namespace

void add_bytes(const uint8_t* values, size_t rows, size_t stride, size_t count, uint32_t* sums,
               uint32_t* squares, uint8_t* low, uint8_t* high) {
  for (size_t r = 0; r < rows; ++r) {
    add_byte_sums(values + r * stride, count, sums, squares);
    add_byte_extremes(values + r * stride, count, low, high);
  }
}

PLAIT_FAST void add_row(const double* __restrict values, size_t count, double* __restrict sums,
                        double* __restrict low, double* __restrict high) {
  for (size_t i = 0; i < count; ++i) {
    sums[i] += values[i];
    low[i] = values[i] < low[i] ? values[i] : low[i];
    high[i] = values[i] > high[i] ? values[i] : high[i];
  }
}

PLAIT_FAST void add_centred_row(const double* __restrict values, const double* __restrict means, size_t count,
                                double* __restrict sums, double* __restrict squares) {
  for (size_t i = 0; i < count; ++i) {
    const double d = values[i] - means[i];
    sums[i] += d;
    squares[i] += d * d;
  }
}

void widen(const sdk::Tensor& values, size_t at, size_t count, double* to) {
  using sdk::DType;
  switch (values.dtype()) {
    case DType::f32:
      return widen_f32(values.data<float>().data() + at, count, to);
    case DType::f64:
      return widen_f64(values.data<double>().data() + at, count, to);
    case DType::u8:
      return widen_u8(values.data<uint8_t>().data() + at, count, to);
    case DType::i32:
      return widen_i32(values.data<int32_t>().data() + at, count, to);
    default:
      return widen_i64(values.data<int64_t>().data() + at, count, to);
  }
}

}  // namespace plait::moments
