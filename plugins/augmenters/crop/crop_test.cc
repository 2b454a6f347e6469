#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <map>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

std::vector<int> cut(const char* place, int64_t size, uint64_t sample = 0) {
  TestHost host;
  const Entry entry = linked("plait.crop");
  AugmenterTest test(host, entry, Settings(entry).set("size", size).set("place", place),
                     {{"image", DType::i32, {4, 3, 1}}});
  for (int i = 0; i < 12; ++i) test.sample.inputs[0].data<int32_t>()[static_cast<size_t>(i)] = i;
  test.sample.rng = {3, sample};
  test.apply();
  const auto out = test.sample.outputs[0].data<int32_t>();
  return {out.begin(), out.end()};
}

TEST_CASE("from the middle; of an odd rest the smaller half lies before") {
  CHECK(cut("centre", 2) == std::vector<int>{3, 4, 6, 7});
  CHECK(cut("centre", 1) == std::vector<int>{4});
  CHECK(cut("centre", 3) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("at random all six places are as likely") {
  std::map<int, int> seen;
  for (uint64_t sample = 0; sample < 6000; ++sample) {
    const std::vector<int> square = cut("random", 2, sample);
    CHECK(square == std::vector<int>{square[0], square[0] + 1, square[0] + 3, square[0] + 4});
    ++seen[square[0]];
  }
  CHECK(seen.size() == 6);
  for (const auto& [place, count] : seen) CHECK(std::abs(count - 1000) < 5 * 28.9);  // sqrt(6000 * 5 / 36)
}

// 3 x 2 of room for 4 x 3: what is cut out alone, with the same random numbers.
TEST_CASE("of a picture that fills its room in part only what it has is cut out") {
  const Entry entry = linked("plait.crop");
  for (const char* place : {"centre", "random"}) {
    for (uint64_t key = 0; key < 50; ++key) {
      TestHost host;
      const Settings settings = Settings(entry).set("size", 2).set("place", place);
      AugmenterTest room(host, entry, settings, {{"image", DType::i32, {4, 3, 1}, 0, 1}});
      AugmenterTest alone(host, entry, settings, {{"image", DType::i32, {3, 2, 1}}});
      TestTensor& image = room.sample.inputs[0];
      image.lengths = {3}, image.second_lengths = {2};
      std::ranges::fill(image.data<int32_t>(), -1);
      for (size_t i = 0; i < 6; ++i) {
        const auto value = static_cast<int32_t>(i);
        image.data<int32_t>()[i / 2 * 3 + i % 2] = alone.sample.inputs[0].data<int32_t>()[i] = value;
      }
      room.sample.rng = alone.sample.rng = {3, key};
      room.apply();
      alone.apply();
      CHECK(room.sample.outputs[0].spec().variable_axis == -1);
      CHECK(std::ranges::equal(room.sample.outputs[0].data<int32_t>(),
                               alone.sample.outputs[0].data<int32_t>()));
    }
  }
}

TEST_CASE("a picture that is smaller than the square is named") {
  TestHost host;
  const Entry entry = linked("plait.crop");
  AugmenterTest test(host, entry, Settings(entry).set("size", 2), {{"image", DType::u8, {4, 3, 1}, 0, 1}});
  test.sample.inputs[0].lengths = {4}, test.sample.inputs[0].second_lengths = {1};
  CHECK_THROWS_WITH(test.apply(),
                    doctest::Contains("part \"image\" is of 4 by 1, smaller than the square of 2 by 2"));
}

TEST_CASE("what does not fit is refused") {
  TestHost host;
  const Entry entry = linked("plait.crop");
  const auto with = [&](int64_t size, PartSpec part) {
    AugmenterTest(host, entry, Settings(entry).set("size", size), {part});
  };
  CHECK_THROWS_WITH(with(5, {"image", DType::u8, {4, 8, 1}}),
                    "part \"image\" is u8[4, 8, 1], smaller than the square of 5 by 5");
  CHECK_THROWS_WITH(with(1, {"image", DType::u8, {4, 8}}), "part \"image\" is u8[4, 8], wanted [H, W, C]");
}

}  // namespace
