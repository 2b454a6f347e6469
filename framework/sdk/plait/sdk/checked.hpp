// Whole numbers that come from a file and meet each other: extents, counts, bytes. A sum or product that
// leaves 64 bits throws and names its operands, where plain arithmetic would go on with a wrong number.
//
//   const int64_t covered = Checked(dilation) * (kernel - 1) + 1;
//   n.workspace(Checked(batch) * steps * sizeof(float));
//
// One side of an operation may be any integer. A result becomes any integer type that holds it. For shapes
// and needs; loops over elements do without, since the host lays out no tensor of more than 2^48 elements.
//
// Fails with: kInvalid "9223372036854775807 * 2 is no number of 64 bits"; "-1 is no size" where a type cannot
// hold the value. Threads: [any]
#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "error.hpp"

namespace plait::sdk {

// Bounds for fields: what lies beyond them is a slip of the pen, and far enough below 2^63 for sums and
// products.
inline constexpr int64_t kMostExtent = int64_t{1} << 20;    // px, steps, distances along one axis
inline constexpr int64_t kMostChannels = int64_t{1} << 24;  // channels, units, filters: a float counts them

class Checked;

namespace detail {
template <class A, class B>
concept OneChecked = (std::same_as<A, Checked> && (std::same_as<B, Checked> || std::integral<B>)) ||
                     (std::same_as<B, Checked> && std::integral<A>);
}  // namespace detail

class Checked {
 public:
  template <std::integral V>
  Checked(V value) : value_(static_cast<int64_t>(value)) {
    if (!std::in_range<int64_t>(value))
      throw Error(ErrorCode::kInvalid, value, " is no number of 64 bits with sign");
  }
  template <std::integral V>
  operator V() const {
    if (!std::in_range<V>(value_))
      throw Error(ErrorCode::kInvalid, value_, value_ < 0 ? " is no size" : " is out of range");
    return static_cast<V>(value_);
  }
  int64_t value() const { return value_; }
  void append_to(std::string& to) const { detail::append(to, value_); }

  static Checked sum(Checked a, Checked b) {
    int64_t result = 0;
    if (__builtin_add_overflow(a.value_, b.value_, &result)) overflow(a, " + ", b);
    return result;
  }
  static Checked difference(Checked a, Checked b) {
    int64_t result = 0;
    if (__builtin_sub_overflow(a.value_, b.value_, &result)) overflow(a, " - ", b);
    return result;
  }
  static Checked product(Checked a, Checked b) {
    int64_t result = 0;
    if (__builtin_mul_overflow(a.value_, b.value_, &result)) overflow(a, " * ", b);
    return result;
  }

  // In here, so that compilers do not offer them for operands of other types.
  template <class A, class B>
  requires detail::OneChecked<A, B>
  friend Checked operator+(A a, B b) { return Checked::sum(a, b); }
  template <class A, class B>
  requires detail::OneChecked<A, B>
  friend Checked operator-(A a, B b) { return Checked::difference(a, b); }
  template <class A, class B>
  requires detail::OneChecked<A, B>
  friend Checked operator*(A a, B b) { return Checked::product(a, b); }

 private:
  [[noreturn]] static void overflow(Checked a, const char* sign, Checked b) {
    throw Error(ErrorCode::kInvalid, a, sign, b, " is no number of 64 bits");
  }
  int64_t value_;
};

// The smallest whole number that is at least a / b. a >= 0, b >= 1.
inline Checked ceil_div(Checked a, Checked b) {
  return a.value() / b.value() + (a.value() % b.value() != 0 ? 1 : 0);
}
// The smallest multiple of b that is at least a.
inline Checked round_up(Checked a, Checked b) { return ceil_div(a, b) * b; }

// Elements of a shape.
inline Checked elements(std::span<const int64_t> shape) {
  Checked product = 1;
  for (const int64_t extent : shape) product = product * extent;
  return product;
}

}  // namespace plait::sdk
