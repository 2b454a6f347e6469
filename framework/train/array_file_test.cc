// Arrays in files: read back as written, and what is broken is refused.
#include "train/array_file.h"

#include <doctest/doctest.h>

namespace plait {
namespace {

TEST_CASE("an .npy file comes back, and every cut of it is refused") {
  const Array array{{2, 3}, {1, 2, 3, 4, 5, -0.5f}};
  const std::string bytes = write_npy(array);
  CHECK((bytes.size() - 24) % 64 == 0);
  auto read = read_npy(bytes, "f");
  REQUIRE(read.is_ok());
  CHECK(read->shape == array.shape);
  CHECK(read->values == array.values);
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(read_npy(bytes.substr(0, n), "f").is_ok());
}

TEST_CASE("u8 and one axis are read; other types and orders are refused") {
  const auto file = [](const std::string& type, const std::string& order, const std::string& shape,
                       const std::string& data) {
    const std::string header =
        "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
    return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + data;
  };
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
  CHECK(read_npy(file("|u1", "False", "(4611686018427387904, 4)", ""), "f").status().code() ==
        Code::kCorrupt);
}

TEST_CASE("rows of numbers are read, with and without a heading") {
  for (const std::string heading : {"", "a,b\n"}) {
    auto read = read_csv(heading + "1, 2\r\n\n3,-4.5e1\n", "f");
    REQUIRE(read.is_ok());
    CHECK(read->shape == std::vector<int64_t>{2, 2});
    CHECK(read->values == std::vector<float>{1, 2, 3, -45});
  }
}

TEST_CASE("a first row with one bad field is a mistake, not a heading") {
  for (const std::string row : {"1,x\n", "1,\n", ",2\n", "x,2\n"}) {
    CHECK(read_csv(row + "3,4\n", "f").status().message().starts_with("f:1: field "));
  }
}

TEST_CASE("a bad row is named by its line") {
  CHECK(read_csv("1,2\n3\n", "f").status().message().starts_with("f:2: 1 numbers, wanted 2"));
  CHECK(read_csv("1,2\n3,x\n", "f").status().message().starts_with("f:2: field 2 is no number"));
}

}  // namespace
}  // namespace plait
