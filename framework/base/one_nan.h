// One word for what is no number: which sign a NaN has depends on the processor.
#pragma once
#include <cmath>
#include <concepts>
#include <limits>

namespace plait::inline base {

// `value`, with the one NaN for all that is printed as "nan".
template <class Number>
Number one_nan(Number value) {
  if constexpr (std::floating_point<Number>)
    return std::isnan(value) ? std::numeric_limits<Number>::quiet_NaN() : value;
  else
    return value;
}

}  // namespace plait::inline base
