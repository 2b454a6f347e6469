// Records whose numbers a task adds up. Optional; sdk.hpp does not include it.
#pragma once
#include <plait/sdk.hpp>

#include <cmath>
#include <span>
#include <string>

namespace plait::sdk {

namespace detail {

template <class V>
size_t first_not_finite(std::span<const V> values) {
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) return i;
  return values.size();
}

}  // namespace detail

// Fails with: kNumeric naming the first record, and its element, that is infinite or not a number: what adds
// it up would only tell that a sum is none. Parts of whole numbers pass. Threads: [any]
inline void want_finite(const Records& records, const std::string& part) {
  const Tensor values = records.part(part);
  const size_t count = values.size();
  size_t at = count;
  if (values.dtype() == DType::f32)
    at = detail::first_not_finite(std::span<const float>(values.data<float>()));
  if (values.dtype() == DType::f64)
    at = detail::first_not_finite(std::span<const double>(values.data<double>()));
  if (at == count) return;
  const size_t each = count / records.size();
  const double value = values.dtype() == DType::f32 ? static_cast<double>(values.data<float>()[at])
                                                    : values.data<double>()[at];
  throw Error(ErrorCode::kNumeric, "record ", records.first() + static_cast<int64_t>(at / each), ": element ",
              at % each, " of part \"", part, "\" is ", value, ", wanted a finite number");
}

}  // namespace plait::sdk
