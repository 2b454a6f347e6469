// Numbers in text that other programs wrote (tables, lists), as C++ and Python write them whatever the
// locale. Not part of <plait/sdk.hpp>: #include <plait/sdk/number_text.hpp> where it is used.
//
//   float value = 0;
//   if (read_number("1e-3", value) != NumberText::kGood) throw BadRecord(...);
//
// Threads: [any]
#pragma once
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace plait::sdk {

enum class NumberText { kGood, kNone, kNotFinite, kTooLarge };

namespace detail {

// How many digits a number has before its point; negative: so many zeros after it.
inline int64_t magnitude(std::string_view number) {
  const size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::string_view digits = number.substr(0, e);
  const auto point = static_cast<int64_t>(std::min(digits.find('.'), digits.size()));
  const size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return INT64_MIN;
  const auto at = static_cast<int64_t>(first);
  int64_t exponent = 0;
  std::string_view text = number.substr(std::min(e + 1, number.size()));
  if (text.starts_with('+')) text.remove_prefix(1);
  if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec == std::errc::result_out_of_range)
    return text.starts_with('-') ? INT64_MIN : INT64_MAX;
  const int64_t before = at < point ? point - at : point - at + 1;
  exponent = std::clamp<int64_t>(exponent, -(int64_t{1} << 40), int64_t{1} << 40);
  return before + exponent;
}

}  // namespace detail

// The whole of `text` as a number: kNone when it is none; a number too small for f32 is 0. `value` is set
// where the answer is kGood.
inline NumberText read_number(std::string_view text, float& value) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return NumberText::kNone;
  const bool is_negative = text.starts_with('-');
  // from_chars says of both ends of the range only that a number is beyond.
  if (error == std::errc::result_out_of_range) {
    if (detail::magnitude(text.substr(is_negative)) > 0) return NumberText::kTooLarge;
    value = is_negative ? -0.0F : 0.0F;
  }
  if (std::isfinite(value)) return NumberText::kGood;
  const char first = text[is_negative ? 1 : 0];
  return first == '.' || (first >= '0' && first <= '9') ? NumberText::kTooLarge : NumberText::kNotFinite;
}

}  // namespace plait::sdk
