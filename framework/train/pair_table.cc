#include "train/pair_table.h"

#include <charconv>
#include <cstring>
#include <plait/sdk/order_free_sum.hpp>

#include "base/one_nan.h"
#include "train/csv_file.h"

namespace plait {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

template <class Number>
void add_number(Number value, std::string& to) {
  char digits[32];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, one_nan(value)).ptr);
}

template <class Value>
Value value_of(std::string_view bytes) {
  Value value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void add_escaped(std::string_view text, std::string& to) {
  for (const char c : text) {
    if (c == '\t')
      to += "\\t";
    else if (c == '\n')
      to += "\\n";
    else if (c == '\r')
      to += "\\r";
    else if (c == '\\')
      to += "\\\\";
    else
      to += c;
  }
}

void add_text(std::string_view text, bool is_csv, std::string& to) {
  if (is_csv)
    to += csv_field(std::string(text));
  else
    add_escaped(text, to);
}

void add_value(std::string_view value, uint32_t kind, bool is_csv, std::string& to) {
  if (kind == PLAIT_VALUE_I64) return add_number(value_of<int64_t>(value), to);
  if (kind == PLAIT_VALUE_F64) return add_number(value_of<double>(value), to);
  if (kind == PLAIT_VALUE_SUM) return add_number(sdk::OrderFreeSum(value_of<plait_sum>(value)).value(), to);
  add_text(value, is_csv, to);
}

}  // namespace

Status write_table(PairStream& pairs, uint32_t kind, const std::string& path, const Files::Writer& write) {
  const bool is_csv = path.ends_with(".csv");
  std::string text = is_csv ? "key,value\n" : "";
  Pair pair;
  while (pairs.next(pair)) {
    add_text(pair.key, is_csv, text);
    text += is_csv ? ',' : '\t';
    add_value(pair.value, kind, is_csv, text);
    text += '\n';
    if (text.size() < kPiece) continue;
    PLAIT_TRY(write(text));
    text.clear();
  }
  PLAIT_TRY(pairs.status());
  return write(text);
}

}  // namespace plait
