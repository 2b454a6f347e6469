#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_sink.hpp>

#include <limits>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Sink {
  explicit Sink(bool utf8 = false)
      : entry(linked("plait.tsv")), test(host, entry, Settings(entry).set("utf8", utf8)) {}
  TestHost host;
  Entry entry;
  SinkTest test;
};

TEST_CASE("arrays are columns under their names") {
  Sink sink;
  CHECK(sink.test.endings() == std::vector<std::string>{".tsv"});
  CHECK(sink.test.arrays({{"n", DType::i32, {2}}, {"x", DType::f32, {2, 2}}},
                         {record_of<int32_t>({-3, 4}), record_of<float>({0.1F, 2, 3, 4})}) ==
        "n\tx_0\tx_1\n-3\t0.1\t2\n4\t3\t4\n");
  CHECK(sink.test.arrays({{"s", DType::u8, {1, 2}}}, {record_of<uint8_t>({1, 2})}, {{"a\tb", "c\\"}}) ==
        "a\\tb\tc\\\\\n1\t2\n");
}

TEST_CASE("arrays that are no columns are refused") {
  CHECK_THROWS_WITH(Sink().test.check({{"a", DType::f16, {2}}}),
                    "a table cannot hold numbers of 16 bits: f16[2] a");
}

TEST_CASE("pairs have no heading; tabs, ends of lines and backslashes are written so that they come back") {
  Sink sink;
  CHECK(sink.test.pairs(Value::kI64, {{"a\tb", value_of(int64_t{1})}, {"c", value_of(int64_t{-2})}}) ==
        "a\\tb\t1\nc\t-2\n");
  CHECK(sink.test.pairs(Value::kBytes, {{"a\nb\r", "c\\n\t"}}) == "a\\nb\\r\tc\\\\n\\t\n");
  CHECK(sink.test.pairs(Value::kF64, {{"", value_of(1e23)}}) == "\t1e+23\n");
  CHECK(sink.test.pairs(Value::kBytes, {}).empty());
}

TEST_CASE("utf8: text that is none is refused") {
  CHECK(Sink().test.pairs(Value::kBytes, {{"\xFF", ""}}) == "\xFF\t\n");
  CHECK_THROWS_WITH(Sink(true).test.pairs(Value::kBytes, {{"\xFF", ""}}),
                    "the key \"\\xff\" is not UTF-8 from byte 1 on");
}

}  // namespace
