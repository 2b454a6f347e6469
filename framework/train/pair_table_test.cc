#include "train/pair_table.h"

#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace plait::inline train {
namespace {

template <class V>
std::string bytes_of(V value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string escaped(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const size_t at = std::string("\t\n\r\\").find(c);
    line += at == std::string::npos ? std::string(1, c) : std::string("\\") + "tnr\\"[at];
  }
  return line;
}

std::string value_text(const std::string& value, uint32_t kind) {
  char digits[32];
  double real;
  int64_t whole;
  if (kind == PLAIT_VALUE_BYTES) return escaped(value);
  if (kind == PLAIT_VALUE_F64) {
    std::memcpy(&real, value.data(), sizeof real);
    return {digits, std::to_chars(digits, digits + sizeof digits, real).ptr};
  }
  std::memcpy(&whole, value.data(), sizeof whole);
  return std::to_string(whole);
}

// As a sink of .tsv files writes it.
std::string table_of(const std::vector<std::pair<std::string, std::string>>& pairs, uint32_t kind) {
  std::string text;
  for (const auto& [key, value] : pairs) text += escaped(key) + "\t" + value_text(value, kind) + "\n";
  return text;
}

template <class V>
std::vector<V> numbers(const StageArrays::Array& array) {
  std::vector<V> values(array.bytes.size() / sizeof(V));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

}  // namespace

TEST_CASE("a table of pairs comes back as arrays, whatever its keys hold") {
  const std::vector<std::string> keys = {"", "a\tb", "c\\n\n\r", std::string("z\0", 2)};
  const std::vector<double> values = {1, -0.1, 1e300, 5e-324};
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t i = 0; i < keys.size(); ++i) pairs.emplace_back(keys[i], bytes_of(values[i]));
  const auto arrays = read_table(table_of(pairs, PLAIT_VALUE_F64), PLAIT_VALUE_F64, "x.tsv");
  REQUIRE(arrays.is_ok());
  REQUIRE(arrays->size() == 3);
  CHECK((*arrays)[0].text() == keys[0] + keys[1] + keys[2] + keys[3]);
  CHECK(numbers<int64_t>((*arrays)[1]) == std::vector<int64_t>{0, 3, 8, 10});
  CHECK(numbers<double>((*arrays)[2]) == values);
  StageArrays stage;
  stage.declare(table_arrays(PLAIT_VALUE_F64));
  CHECK(stage.set(*arrays).is_ok());
}

TEST_CASE("whole numbers and bytes too; an empty table has arrays of none") {
  const auto whole =
      read_table(table_of({{"k", bytes_of(INT64_MIN)}}, PLAIT_VALUE_I64), PLAIT_VALUE_I64, "x.tsv");
  REQUIRE(whole.is_ok());
  CHECK(numbers<int64_t>((*whole)[2]) == std::vector<int64_t>{INT64_MIN});
  const auto bytes =
      read_table(table_of({{"k", "a\tb"}, {"l", ""}}, PLAIT_VALUE_BYTES), PLAIT_VALUE_BYTES, "x.tsv");
  REQUIRE(bytes.is_ok());
  CHECK((*bytes)[2].text() == "a\tb");
  CHECK(numbers<int64_t>((*bytes)[3]) == std::vector<int64_t>{3, 3});
  const auto none = read_table("", PLAIT_VALUE_I64, "x.tsv");
  REQUIRE(none.is_ok());
  CHECK((*none)[1].spec.shape == std::vector<int64_t>{0});
}

TEST_CASE("what is no such table is refused with its line") {
  for (const char* text :
       {"a\t1\nb 2\n", "a\t1\nb\t2x\n", "a\t1\nb\t2", "a\t1\nb\\x\t2\n", "a\t1\nb\\\t2\n"}) {
    const auto found = read_table(text, PLAIT_VALUE_I64, "x.tsv");
    REQUIRE(!found.is_ok());
    CHECK(found.status().code() == Code::kCorrupt);
    CHECK(found.status().message().starts_with("x.tsv:2: "));
  }
}

}  // namespace plait::inline train
