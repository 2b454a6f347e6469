#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_sink.hpp>

#include <limits>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Sink {
  Sink() : entry(linked("plait.npy")), test(host, entry, Settings(entry)) {}
  TestHost host;
  Entry entry;
  SinkTest test;
};

// The head of a file whose dictionary ends with these words; as NumPy 1.24 writes it, but for the place of
// the comma after the last extent.
std::string head(const std::string& type, const std::string& shape) {
  std::string text = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  text.append(117 - text.size(), ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + text + "\n";
}

TEST_CASE("an array of each type comes after its head of 128 bytes") {
  Sink sink;
  CHECK(sink.test.endings() == std::vector<std::string>{".npy"});
  const auto numbers = record_of<float>({1, -2.5F, 3, 4, 5, 6});
  const std::string file = sink.test.arrays({{"a", DType::f32, {2, 3}}}, {numbers});
  CHECK(file.size() == 128 + numbers.size());
  CHECK(file == head("<f4", "(2, 3, )") + numbers);
  CHECK(sink.test.arrays({{"a", DType::f64, {}}}, {record_of<double>({7})}) ==
        head("<f8", "()") + record_of<double>({7}));
  CHECK(sink.test.arrays({{"a", DType::u8, {0, 4}}}, {""}) == head("|u1", "(0, 4, )"));
  CHECK(sink.test.arrays({{"a", DType::f16, {1}}}, {record_of<uint16_t>({0x3C00})}) ==
        head("<f2", "(1, )") + record_of<uint16_t>({0x3C00}));
  CHECK(sink.test.arrays({{"a", DType::i32, {1}}}, {record_of<int32_t>({-1})})
            .starts_with(head("<i4", "(1, )")));
  CHECK(sink.test.arrays({{"a", DType::i64, {1}}}, {record_of<int64_t>({-1})})
            .starts_with(head("<i8", "(1, )")));
}

TEST_CASE("eight large extents fit into the head") {
  const std::vector<int64_t> shape = {1, 1, 1, 1, 1, 1, 1, 0};
  CHECK(Sink().test.arrays({{"a", DType::u8, shape}}, {""}).size() % 64 == 0);
}

TEST_CASE("several arrays, and a type that NumPy lacks, are refused") {
  CHECK_THROWS_WITH(Sink().test.check({{"a", DType::f32, {1}}, {"b", DType::f32, {1}}}),
                    "a .npy file holds one array, got 2");
  CHECK_THROWS_WITH(Sink().test.check({{"a", DType::bf16, {4}}}), "NumPy has no type for bf16[4] a");
}

TEST_CASE("a full disk ends it") {
  Sink sink;
  sink.test.room_bytes = 130;
  CHECK_THROWS(sink.test.arrays({{"a", DType::f32, {4}}}, {std::string(16, '\0')}));
  CHECK(sink.host.code == PLAIT_ERROR_IO);
}

}  // namespace
