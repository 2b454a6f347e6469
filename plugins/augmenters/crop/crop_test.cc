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
