#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_sink.hpp>

#include <limits>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Sink {
  Sink() : entry(linked("plait.safetensors")), test(host, entry, Settings(entry)) {}
  TestHost host;
  Entry entry;
  SinkTest test;
};

std::string with_length(const std::string& header) { return record_of<uint64_t>({header.size()}) + header; }

TEST_CASE("arrays are named in a header of JSON, then follow one after the other") {
  Sink sink;
  CHECK(sink.test.endings() == std::vector<std::string>{".safetensors"});
  const auto first = record_of<float>({1, 2}), second = record_of<int64_t>({-1});
  std::string header =
      R"({"__metadata__":{"format":"plait"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("b.c":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  CHECK(sink.test.arrays({{"a", DType::f32, {2, 1}}, {"b.c", DType::i64, {}}}, {first, second}) ==
        with_length(header) + first + second);
}

TEST_CASE("every type has its word") {
  const std::pair<DType, const char*> types[] = {
      {DType::f32, "F32"}, {DType::f64, "F64"}, {DType::f16, "F16"}, {DType::bf16, "BF16"},
      {DType::u8, "U8"},   {DType::i32, "I32"}, {DType::i64, "I64"}};
  for (const auto& [type, word] : types)
    CHECK(Sink().test.arrays({{"a", type, {0}}}, {""}).find(std::string("\"dtype\":\"") + word + "\"") !=
          std::string::npos);
}

TEST_CASE("names are texts of JSON; what is no UTF-8, or the format's own, is refused") {
  CHECK(Sink()
            .test.arrays({{"a\"\\\n\xC3\xA9", DType::u8, {0}}}, {""})
            .find("\"a\\\"\\\\\\u000a\xC3\xA9\":{") != std::string::npos);
  CHECK_THROWS_WITH(Sink().test.check({{"caf\xC3", DType::u8, {1}}}),
                    "the name \"caf\\xc3\" of an array is not UTF-8 from byte 4 on");
  CHECK_THROWS_WITH(Sink().test.check({{"__metadata__", DType::u8, {1}}}),
                    "the format keeps the name __metadata__ for itself");
}

}  // namespace
