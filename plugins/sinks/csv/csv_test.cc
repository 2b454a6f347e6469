#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_sink.hpp>

#include <limits>
#include <string>
#include <vector>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Sink {
  explicit Sink(bool utf8 = false)
      : entry(linked("plait.csv")), test(host, entry, Settings(entry).set("utf8", utf8)) {}
  TestHost host;
  Entry entry;
  SinkTest test;
};

TEST_CASE("arrays are columns under their names, numbers as short as they can be read back") {
  Sink sink;
  CHECK(sink.test.endings() == std::vector<std::string>{".csv"});
  CHECK(sink.test.arrays({{"n", DType::i64, {2}}, {"mean", DType::f64, {2, 2}}},
                         {record_of<int64_t>({-3, 4}), record_of<double>({0.1, 1e300, -0.0, 5e-324})}) ==
        "n,mean_0,mean_1\n-3,0.1,1e+300\n4,-0,5e-324\n");
  CHECK(sink.test.arrays({{"x", DType::f32, {3}}}, {record_of<float>({0.1F, 16777216, 1.0F / 3})}) ==
        "x\n0.1\n16777216\n0.33333334\n");
  CHECK(sink.test.arrays({{"all", DType::u8, {}}}, {record_of<uint8_t>({255})}) == "all\n255\n");
  CHECK(sink.test.arrays({{"none", DType::i32, {0, 2}}}, {""}) == "none_0,none_1\n");
}

#if defined(__SSE__)
TEST_CASE("denormals keep their bits where plugins are called with them taken for 0") {
  const std::vector<std::string> numbers = {
      record_of<float>({std::numeric_limits<float>::denorm_min(), -1e-40F}),
      record_of<double>({5e-324, 1e-310})};
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040u);
  const std::string file = Sink().test.arrays({{"a", DType::f32, {2}}, {"b", DType::f64, {2}}}, numbers);
  _mm_setcsr(before);
  CHECK(file == "a,b\n1e-45,5e-324\n-1e-40,1e-310\n");
}
#endif

TEST_CASE("NaN is one word, whatever its sign") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  CHECK(Sink().test.arrays({{"x", DType::f64, {4}}},
                           {record_of<double>({kNan, -kNan, kInfinity, -kInfinity})}) ==
        "x\nnan\nnan\ninf\n-inf\n");
}

TEST_CASE("columns have names of their own where they are given, in quotes where they need them") {
  CHECK(Sink().test.arrays({{"s", DType::u8, {1, 3}}}, {record_of<uint8_t>({1, 2, 3})},
                           {{"a,b", "", "say \"x\""}}) == "\"a,b\",,\"say \"\"x\"\"\"\n1,2,3\n");
}

TEST_CASE("arrays that are no columns are refused, named") {
  const auto refused = [](const std::vector<PartSpec>& specs, const std::string& words) {
    CHECK_THROWS_WITH(Sink().test.check(specs), words.c_str());
  };
  refused({{"a", DType::f32, {2, 2, 2}}},
          "a table cannot hold an array of more than two axes: f32[2, 2, 2] a");
  refused({{"b", DType::u8, {-1}}, {"a", DType::f32, {-1, 2, 2}}},
          "a table cannot hold an array of more than two axes: f32[?, 2, 2] a");
  refused({{"a", DType::bf16, {2}}}, "a table cannot hold numbers of 16 bits: bf16[2] a");
  refused({{"a", DType::f32, {2}}, {"b", DType::i32, {3, 2}}},
          "a table cannot hold arrays of different lengths: f32[2] a, i32[3, 2] b");
  refused({{"a", DType::f32, {}}, {"b", DType::f32, {2}}},
          "a table cannot hold arrays of different lengths: f32[] a, f32[2] b");
  Sink().test.check({{"rows", DType::f32, {-1, 2}}, {"more", DType::f32, {-1}}});  // not counted yet
}

TEST_CASE("pairs come under a heading") {
  Sink sink;
  CHECK(sink.test.pairs(Value::kI64, {{"a", value_of(int64_t{-7})}, {"b, c", value_of(int64_t{8})}}) ==
        "key,value\na,-7\n\"b, c\",8\n");
  CHECK(sink.test.pairs(Value::kF64, {{"a", value_of(0.1)}}) == "key,value\na,0.1\n");
  CHECK(sink.test.pairs(Value::kBytes, {{"a\n", "\xFF"}, {"b", "c\"d"}}) ==
        "key,value\n\"a\n\",\xFF\nb,\"c\"\"d\"\n");
  CHECK(sink.test.pairs(Value::kBytes, {}) == "key,value\n");
}

TEST_CASE("utf8: text that is none is refused, with its place") {
  Sink sink(true);
  CHECK(sink.test.pairs(Value::kBytes, {{"caf\xC3\xA9", ""}}) == "key,value\ncaf\xC3\xA9,\n");
  CHECK_THROWS_WITH(sink.test.pairs(Value::kI64, {{"caf\xC3", value_of(int64_t{1})}}),
                    "the key \"caf\\xc3\" is not UTF-8 from byte 4 on");
  CHECK_THROWS_WITH(sink.test.pairs(Value::kBytes, {{"a", "\xFF"}}),
                    "the value \"\\xff\" is not UTF-8 from byte 1 on");
  CHECK_THROWS_WITH(sink.test.arrays({{"s", DType::u8, {1, 1}}}, {record_of<uint8_t>({1})}, {{"\x80"}}),
                    "the name of a column \"\\x80\" is not UTF-8 from byte 1 on");
}

TEST_CASE("a full disk ends it") {
  Sink sink;
  sink.test.room_bytes = 10;
  CHECK_THROWS(sink.test.pairs(Value::kBytes, {{"a", std::string(100, 'x')}}));
  CHECK(sink.host.code == PLAIT_ERROR_IO);
}

}  // namespace
