// The order of numbers that combiners and reducers of extremes share: no two of different bits are equal, so
// that which of them is kept does not depend on the order of folding. NaN does not come: the host refuses it
// among values. Threads: [any]
#pragma once
#include <bit>
#include <cstdint>

namespace plait::sdk {

inline bool is_below(int64_t a, int64_t b) { return a < b; }
// By their bits: where plugins run, comparisons of doubles take tiny (denormal) ones for 0. -0 is below +0.
inline int64_t place_of(double v) {
  const auto bits = std::bit_cast<int64_t>(v);
  return bits < 0 ? INT64_MIN - bits - 1 : bits;
}
// The number in that place.
inline double number_at(int64_t place) {
  return std::bit_cast<double>(place < 0 ? INT64_MIN - place - 1 : place);
}
inline bool is_below(double a, double b) { return place_of(a) < place_of(b); }

}  // namespace plait::sdk
