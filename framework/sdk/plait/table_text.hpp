// Tables in text, for sinks: arrays as columns, pairs as two of them. Not part of <plait/sdk.hpp>.
//
//   struct Semicolons {
//     static constexpr const char* endings[] = {".ssv"};
//     static constexpr bool table = true;
//     void check_arrays(const SinkArrays& arrays) const { check_table(arrays); }
//     void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
//       write_table(arrays, {';', &field}, out);
//     }
//     static void field(std::string_view bytes, std::string& to) { ... }  // in quotes where it needs them
//     ...
//   };
//
// Shapes: one line for each place of the first axis, of which all arrays have as many; one line for numbers
// without axes. An array of one axis is a column of its name; one of two axes is columns of their own names,
// or of NAME_0, NAME_1, ...
// Numbers are written so that reading them gives the same bits: the shortest decimals that do (Steele and
// White 1990); "nan" for everything that is none.
// Threads: [any]
#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "sdk/sink.hpp"
#include "sdk/utf8.hpp"

namespace plait::sdk {

struct TableText {
  char parting;                                            // between fields
  void (*field)(std::string_view bytes, std::string& to);  // appends one, so that reading gives the bytes
  bool utf8 = false;                                       // whether bytes that are not UTF-8 are refused
};

namespace detail {

// Plugins are called with denormals taken for 0, as which they would be written: not while this lives.
class KeepDenormals {
 public:
#if defined(__SSE__)
  KeepDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ & ~0x8040u); }
  ~KeepDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  KeepDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ & ~(uint64_t{1} << 24)));
  }
  ~KeepDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#else
  KeepDenormals() {}
  ~KeepDenormals() {}
#endif
 public:
  KeepDenormals(const KeepDenormals&) = delete;
  KeepDenormals& operator=(const KeepDenormals&) = delete;
};

}  // namespace detail

template <class Number>
void append_number(Number value, std::string& to) {
  char digits[32];
  if constexpr (std::is_floating_point_v<Number>) {
    const detail::KeepDenormals mode;
    if (std::isnan(value)) value = std::numeric_limits<Number>::quiet_NaN();  // of either sign
    to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return;
  }
  to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

namespace detail {

inline int64_t lines_of(const SinkArray& array) { return array.shape().empty() ? 1 : array.shape()[0]; }
inline int64_t columns_of(const SinkArray& array) { return array.shape().size() == 2 ? array.shape()[1] : 1; }

// ? for rows that nobody has counted yet.
inline std::string name_of(const SinkArray& array) {
  std::string shape;
  for (const int64_t extent : array.shape()) {
    if (!shape.empty()) shape += ", ";
    shape += extent < 0 ? "?" : text(extent);
  }
  return text(sdk::name_of(array.dtype()), "[", shape, "] ", array.name());
}
inline std::string names_of(const SinkArrays& arrays) {
  std::string names;
  for (size_t i = 0; i < arrays.size(); ++i) names += (i == 0 ? "" : ", ") + name_of(arrays[i]);
  return names;
}

template <class Number>
void append_element(const char* at, std::string& to) {
  Number value;
  std::memcpy(&value, at, sizeof value);
  append_number(value, to);
}

inline void append_element(const SinkArray& array, int64_t place, std::string& to) {
  const char* at = array.bytes().data() + static_cast<size_t>(place) * size_of(array.dtype());
  switch (array.dtype()) {
    case DType::f32:
      return append_element<float>(at, to);
    case DType::f64:
      return append_element<double>(at, to);
    case DType::u8:
      return append_element<uint8_t>(at, to);
    case DType::i32:
      return append_element<int32_t>(at, to);
    default:
      return append_element<int64_t>(at, to);
  }
}

// `of`: what it is, for a message.
inline void append_text(std::string_view bytes, const TableText& as, const char* of, std::string& to) {
  if (const size_t good = as.utf8 ? valid_utf8(bytes) : bytes.size(); good < bytes.size())
    throw Error(of, " ", excerpt(bytes), " is not UTF-8 from byte ", good + 1, " on");
  as.field(bytes, to);
}

inline std::string heading_of(const SinkArrays& arrays, const TableText& as) {
  std::string line;
  bool is_first = true;
  for (size_t i = 0; i < arrays.size(); ++i) {
    for (int64_t column = 0; column < columns_of(arrays[i]); ++column) {
      if (!std::exchange(is_first, false)) line += as.parting;
      std::string name(arrays[i].name());
      if (!arrays[i].columns().empty())
        name = arrays[i].columns()[static_cast<size_t>(column)];
      else if (arrays[i].shape().size() == 2)
        name += text("_", column);
      append_text(name, as, "the name of a column", line);
    }
  }
  return line + '\n';
}

}  // namespace detail

// Whether arrays are columns of a table. Fails with: kInvalid naming them.
inline void check_table(const SinkArrays& arrays) {
  const auto refuse = [&](const char* what, const std::string& names) {
    throw Error("a table cannot hold ", what, ": ", names);
  };
  for (size_t i = 0; i < arrays.size(); ++i) {
    const DType dtype = arrays[i].dtype();
    if (arrays[i].shape().size() > 2) refuse("an array of more than two axes", detail::name_of(arrays[i]));
    if (dtype == DType::f16 || dtype == DType::bf16) refuse("numbers of 16 bits", detail::name_of(arrays[i]));
    if (detail::lines_of(arrays[i]) != detail::lines_of(arrays[0]))
      refuse("arrays of different lengths", detail::names_of(arrays));
  }
}

// A heading, then a line for each row. `arrays`: that check_table has let through.
inline void write_table(const SinkArrays& arrays, const TableText& as, ByteWriter& out) {
  std::string line = detail::heading_of(arrays, as);
  out.write(line);
  for (int64_t row = 0; row < detail::lines_of(arrays[0]); ++row) {
    line.clear();
    bool is_first = true;
    for (size_t i = 0; i < arrays.size(); ++i) {
      const SinkArray array = arrays[i];
      const int64_t columns = detail::columns_of(array);
      for (int64_t column = 0; column < columns; ++column) {
        if (!std::exchange(is_first, false)) line += as.parting;
        detail::append_element(array, row * columns + column, line);
      }
    }
    out.write(line += '\n');
  }
}

// A line for each pair: key, value. Fails with: kInvalid naming a pair that is not UTF-8, where that is
// wanted.
inline void write_table(Pairs& pairs, const TableText& as, ByteWriter& out) {
  std::string line;
  while (const auto pair = pairs.next()) {
    line.clear();
    detail::append_text(pair->key, as, "the key", line);
    line += as.parting;
    if (pairs.value() == Value::kI64)
      append_number(value_as<int64_t>(pair->value), line);
    else if (pairs.value() == Value::kF64)
      append_number(value_as<double>(pair->value), line);
    else
      detail::append_text(pair->value, as, "the value", line);
    out.write(line += '\n');
  }
}

}  // namespace plait::sdk
