// The order of numbers that combiners and reducers of extremes share: no two of different bits are equal, so
// that which of them is kept does not depend on the order of folding. NaN does not come: the host refuses it
// among values. Threads: [any]
#pragma once
#include <cmath>
#include <cstdint>

namespace plait::sdk {

inline bool is_below(int64_t a, int64_t b) { return a < b; }
// -0 is below +0.
inline bool is_below(double a, double b) { return a < b || (a == b && std::signbit(a) && !std::signbit(b)); }

}  // namespace plait::sdk
