// Arrays in files: read, and what is broken is refused.
#include "train/array_file.h"

#include <doctest/doctest.h>

namespace plait::inline train {
namespace {

std::string file(const std::string& type, const std::string& order, const std::string& shape,
                 const std::string& data) {
  const std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

TEST_CASE("an .npy file is read, and every cut of it is refused") {
  const std::vector<float> values = {1, 2, 3, 4, 5, -0.5f};
  const std::string bytes =
      file("<f4", "False", "(2, 3)",
           {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  auto read = read_npy(bytes, "f");
  REQUIRE(read.is_ok());
  CHECK(read->shape == std::vector<int64_t>{2, 3});
  CHECK(read->values == values);
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(read_npy(bytes.substr(0, n), "f").is_ok());
}

TEST_CASE("u8 and one axis are read; other types and orders are refused") {
  auto read = read_npy(file("|u1", "False", "(3,)", "\x01\xff\x02"), "f");
  REQUIRE(read.is_ok());
  CHECK(read->values == std::vector<float>{1, 255, 2});
  const double two[] = {0.25, -3};
  read = read_npy(file("<f8", "False", "(2,)", {reinterpret_cast<const char*>(two), sizeof two}), "f");
  REQUIRE(read.is_ok());
  CHECK(read->values == std::vector<float>{0.25f, -3});
  const Status refused = read_npy(file("<i8", "False", "(1,)", "12345678"), "f").status();
  CHECK(refused.code() == Code::kUnsupported);
  CHECK(refused.message().starts_with("f: elements of type '<i8', wanted "));
  CHECK(read_npy(file("|u1", "True", "(1,)", "1"), "f").status().code() == Code::kUnsupported);
  for (const char* shape : {"(4611686018427387904, 4)", "(0, 4611686018427387904, 4)", "(-1,)", "(1", "(1,x)",
                            "(18446744073709551616,)"}) {
    const auto got = read_npy(file("|u1", "False", shape, ""), "f");
    CHECK((got.is_ok() ? got->values.empty() : got.status().code() == Code::kCorrupt));
  }
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1,";
  CHECK(read_npy(file("|u1", "False", many + ")", "x"), "f").status().code() == Code::kCorrupt);
  std::string newer = file("|u1", "False", "(1,)", "1");
  newer[6] = 4;
  CHECK(read_npy(newer, "f").status().message() ==
        "f: not a good .npy file: its format is of version 4, wanted 1, 2 or 3");
}

}  // namespace
}  // namespace plait::inline train
