#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Source {
  TestHost host;
  Entry entry = linked("plait.synthetic");
  const plait_source_ops& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  void* self = nullptr;
  plait_source_info info{};
  PartsTaken taken;

  explicit Source(const Settings& settings) {
    host.check(ops.open(host.context(), settings.c(), &self));
    info.struct_size = sizeof info;
    host.check(ops.describe(self, host.context(), &info, taken.builder()));
  }
  ~Source() {
    if (self) ops.close(self);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // Elements, then the label where there is one.
  std::vector<double> record(int64_t index) {
    TestSample sample;
    for (const PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
    host.check(ops.read(self, host.context(), index, sample.c()));
    std::vector<double> all;
    for (const TestTensor& output : sample.outputs) {
      CHECK(output.intact());
      const DType type = output.view().dtype();
      if (type == DType::u8) {
        for (const auto value : output.data<uint8_t>()) all.push_back(value);
      } else if (type == DType::i32) {
        all.push_back(output.data<int32_t>()[0]);
      } else {
        for (const auto value : output.data<float>()) all.push_back(static_cast<double>(value));
      }
    }
    return all;
  }
  std::array<uint8_t, 32> digest() {
    std::array<uint8_t, 32> made{};
    host.check(ops.digest(self, host.context(), made.data()));
    return made;
  }
};

Settings settings(std::vector<int64_t> shape) {
  Settings made(linked("plait.synthetic"));
  for (const int64_t extent : shape) made.add("shape", extent);
  return made;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST_CASE("parts, labels and counts are those of the fields") {
  Source source(settings({4, 3, 2}).set("records", 25).set("classes", 10));
  CHECK(source.info.count == 25);
  CHECK(source.info.n_classes == 10);
  REQUIRE(source.taken.parts.size() == 2);
  CHECK(source.taken.parts[0].name == "image");
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{4, 3, 2});
  CHECK(source.record(0).size() == 25);
  for (const int64_t index : {0, 9, 10, 24}) CHECK(source.record(index).back() == index % 10);
  CHECK_THROWS_WITH(source.record(25), "record 25 of 25 does not exist");
  Source bare(settings({5}).set("classes", 0).set("part", "x").set("type", "f32"));
  REQUIRE(bare.taken.parts.size() == 1);
  CHECK(bare.taken.parts[0].name == "x");
  CHECK(bare.taken.parts[0].dtype == DType::f32);
}

TEST_CASE("the numbers are those of Philox, by element") {
  Source source(settings({1000}).set("signal", 0.0).set("type", "f32").set("classes", 0).set("seed", 7));
  const auto record = source.record(3);
  const Random numbers(14, 3);
  for (size_t i = 0; i < record.size(); ++i)
    CHECK(record[i] == (numbers.at(i / 2) >> (i % 2 * 16) & 0xffff) * 0x1p-16);
}

// A bit of the class is the lowest of those left of its word of Philox.
TEST_CASE("the picture of a class is of Philox too") {
  Source source(settings({1100}).set("signal", 1.0).set("type", "f32").set("seed", 7));
  const auto record = source.record(13);
  const Random numbers(15, 3);
  for (size_t i = 0; i < 1100; ++i)
    CHECK(record[i] == (numbers.at(i / 32) >> i % 32 & 1 ? 0xffff * 0x1p-16 : 0.0));
}

TEST_CASE("first begins later among the same records") {
  Source source(settings({33})), later(settings({33}).set("first", 12));
  for (const int64_t index : {0, 1, 30}) CHECK(later.record(index) == source.record(12 + index));
}

TEST_CASE("u8 is f32 times 256") {
  Source bytes(settings({300})), floats(settings({300}).set("type", "f32"));
  const auto a = bytes.record(5), b = floats.record(5);
  for (size_t i = 0; i < 300; ++i) CHECK(a[i] == std::floor(b[i] * 256));
}

// Of 20,000 uniform numbers the mean has a deviation of 1 / sqrt(12 * 20000) = 0.002.
TEST_CASE("noise is uniform, and another of every record and seed") {
  Source source(settings({20000}).set("signal", 0.0).set("type", "f32").set("classes", 0));
  const auto first = source.record(0), second = source.record(1);
  CHECK(std::abs(mean(first) - 0.5) < 0.01);
  CHECK(first != second);
  CHECK(first == source.record(0));
  Source other(settings({20000}).set("signal", 0.0).set("type", "f32").set("classes", 0).set("seed", 1));
  CHECK(other.record(0) != first);
}

TEST_CASE("signal 1 is one picture a class") {
  Source source(settings({400}).set("signal", 1.0).set("type", "f32").set("classes", 4));
  CHECK(source.record(1) == source.record(5));
  auto one = source.record(1), two = source.record(2);
  one.pop_back(), two.pop_back();  // labels
  int differ = 0;
  for (size_t i = 0; i < one.size(); ++i) differ += one[i] != two[i];
  CHECK(differ > 150);  // of 400 fair bits: 200, deviation 10
  CHECK(differ < 250);
}

TEST_CASE("another digest where any field is another that changes records") {
  Source source(settings({6})), same(settings({6}));
  CHECK(source.digest() == same.digest());
  CHECK(Source(settings({2, 3})).digest() != source.digest());
  CHECK(Source(settings({6}).set("seed", 1)).digest() != source.digest());
  CHECK(Source(settings({6}).set("signal", 0.5)).digest() != source.digest());
  CHECK(Source(settings({6}).set("type", "f32")).digest() != source.digest());
  CHECK(Source(settings({6}).set("records", 9999)).digest() != source.digest());
  CHECK(Source(settings({6}).set("first", 1)).digest() != source.digest());
  CHECK(Source(settings({6}).set("classes", 9)).digest() != source.digest());
}

TEST_CASE("what cannot be is refused") {
  CHECK_THROWS_WITH(Source(settings({})), "shape has 0 axes, wanted 1 to 8");
  CHECK_THROWS_WITH(Source(settings({1 << 20, 1 << 20, 1 << 24})),
                    "shape [1048576, 1048576, 16777216] has more than 268435456 elements");
  CHECK_THROWS_WITH(Source(settings({3}).set("part", "label")),
                    "part is \"label\", wanted a name besides label");
}

}  // namespace
