// safetensors files of strangers: what can be read is, what lies is refused, at once.
#include "train/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

namespace plait::inline train {
namespace {

std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t size = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &size, 8);
  return file + header + data;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

Status status_of(const std::string& header, size_t data_bytes) {
  return read_safetensors(file_of(header, std::string(data_bytes, '\0')), "f").status();
}
Code code_of(const std::string& header, size_t data_bytes) { return status_of(header, data_bytes).code(); }

StoredTensor stored(const std::string& dtype, const void* data, size_t bytes, int64_t count) {
  return {"t", dtype, {count}, {static_cast<const char*>(data), bytes}};
}

TEST_CASE("headers that lie are refused") {
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return "{" + entry("t", dtype, shape, offsets) + "}";
  };
  CHECK(code_of(one("F32", "[2]", "[0,8]"), 8) == Code::kOk);
  CHECK(code_of(one("F32", "[]", "[0,4]"), 4) == Code::kOk);
  CHECK(code_of(one("F32", "[0,7]", "[0,0]"), 0) == Code::kOk);
  CHECK(code_of("{}", 0) == Code::kOk);
  for (const char* header : {"", "[]", "1", "{\"a\":1}", "{\"a\":[]}", "{\"a\":{}}", "{\"a\":\"b\"}", "{} {}",
                             "{\"__metadata__\":1}"})
    CHECK(code_of(header, 0) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[3]", "[0,8]"), 8) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[2]", "[4,12]"), 12) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[2]", "[8,0]"), 8) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[2]", "[0,8,8]"), 8) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[2]", "[0,8.0]"), 8) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[-2]", "[0,8]"), 8) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[[2]]", "[0,8]"), 8) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[2]", "[0,8]"), 9) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[4611686018427387904,4]", "[0,0]"), 0) == Code::kCorrupt);
  CHECK(code_of(one("F32", "[18446744073709551615]", "[0,8]"), 8) == Code::kCorrupt);
  CHECK(code_of("{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[1]", "[4,8]") + "}", 8) ==
        Code::kCorrupt);
}

TEST_CASE("names, extents and nesting have bounds, and a name is there once") {
  const std::string twice = entry("a", "F32", "[]", "[0,4]") + "," + entry("a", "F32", "[]", "[4,8]");
  CHECK(status_of("{" + twice + "}", 8).message() ==
        "f: not a good safetensors file: tensor \"a\": is there twice");
  std::string extents = "[1";
  for (int i = 0; i < 64; ++i) extents += ",1";
  CHECK(code_of("{" + entry("a", "F32", extents + "]", "[0,4]") + "}", 4) == Code::kCorrupt);
  CHECK(code_of("{\"a\":" + std::string(100'000, '[') + "}", 0) == Code::kCorrupt);
  const std::string deep = "{\"more\":" + std::string(9, '[') + std::string(9, ']') + "}";
  CHECK(status_of("{\"__metadata__\":" + deep + "}", 0).message().find("deeper than 8 levels") !=
        std::string::npos);
  CHECK(code_of("{" + entry("\xe9", "F32", "[]", "[0,4]") + "}", 4) == Code::kCorrupt);  // no UTF-8
  const std::string message = status_of("{\"" + std::string(100'000, 'n') + "\":{}}", 0).message();
  CHECK(message.size() < 400);
}

TEST_CASE("a header of 300000 names is read in one go") {
  std::string header = "{";
  for (int i = 0; i < 300'000; ++i)
    header += (i ? "," : "") + entry("t" + std::to_string(i), "F32", "[0]", "[0,0]");
  const std::string file = file_of(header + "}", "");
  const auto read = read_safetensors(file, "f");
  REQUIRE_MESSAGE(read.is_ok(), read.status().message());
  CHECK(read->tensors.size() == 300'000);
  CHECK(read->tensors.back().name == "t299999");
}

TEST_CASE("tensors of any type are told apart, and metadata kept") {
  const std::string header = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("n", "I64", "[]", "[0,8]") +
                             "," + entry("x", "F4_NEW", "[3]", "[8,10]") + "," +
                             entry("b", "BOOL", "[2]", "[10,12]") + "}";
  const std::string file = file_of(header, std::string(12, '\1'));
  const auto read = read_safetensors(file, "f");
  REQUIRE_MESSAGE(read.is_ok(), read.status().message());
  CHECK(read->metadata.at("format") == "pt");
  CHECK(read->tensors[0].dtype == "I64");
  CHECK(read->tensors[1].bytes.size() == 2);
  CHECK(f32_values(read->tensors[0]).status().code() == Code::kUnsupported);
  CHECK(f32_values(read->tensors[1]).status().message() == "type F4_NEW, wanted F32, F16, BF16 or F64");
}

TEST_CASE("tensors have the order of their data, whatever the order of their names") {
  const std::string header = "{" + entry("a", "F32", "[]", "[4,8]") + "," + entry("z", "F32", "[]", "[0,4]") +
                             "," + entry("m", "F32", "[]", "[8,12]") + "}";
  const std::string file = file_of(header, std::string(12, '\0'));
  const auto read = read_safetensors(file, "f");
  REQUIRE_MESSAGE(read.is_ok(), read.status().message());
  CHECK(read->tensors[0].name == "z");
  CHECK(read->tensors[1].name == "a");
  CHECK(read->tensors[2].name == "m");
}

TEST_CASE("halves, brains and doubles become f32") {
  const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x7c00, 0x0400};
  auto values = *f32_values(stored("F16", halves, sizeof halves, 7));
  CHECK(values[0] == 1);
  CHECK(values[1] == -2);
  CHECK(values[2] == 0x1p-24f);
  CHECK(values[3] == 65504);
  CHECK((values[4] == 0 && std::signbit(values[4])));
  CHECK(std::isinf(values[5]));
  CHECK(values[6] == 0x1p-14f);
  const uint16_t brains[] = {0x3f80, 0xc040};
  values = *f32_values(stored("BF16", brains, sizeof brains, 2));
  CHECK(values == std::vector<float>{1, -3});
  double doubles[] = {0.1, -1e300};
  CHECK(f32_values(stored("F64", doubles, sizeof doubles, 2)).status().code() == Code::kNumeric);
  doubles[1] = 2;
  CHECK(*f32_values(stored("F64", doubles, sizeof doubles, 2)) == std::vector<float>{0.1f, 2});
}

}  // namespace
}  // namespace plait::inline train
