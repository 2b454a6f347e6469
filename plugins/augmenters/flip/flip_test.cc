#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

std::vector<int> flipped(double horizontal, double vertical, uint64_t sample = 0) {
  TestHost host;
  const Entry entry = linked("plait.flip");
  AugmenterTest test(host, entry, Settings(entry).set("horizontal", horizontal).set("vertical", vertical),
                     {{"image", DType::i32, {2, 2, 2}}});
  for (int i = 0; i < 8; ++i) test.sample.inputs[0].data<int32_t>()[static_cast<size_t>(i)] = i;
  test.sample.rng = {3, sample};
  test.apply();
  const auto out = test.sample.outputs[0].data<int32_t>();
  return {out.begin(), out.end()};
}

TEST_CASE("pixels change places, their channels do not") {
  CHECK(flipped(0, 0) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(flipped(1, 0) == std::vector<int>{2, 3, 0, 1, 6, 7, 4, 5});
  CHECK(flipped(0, 1) == std::vector<int>{4, 5, 6, 7, 0, 1, 2, 3});
  CHECK(flipped(1, 1) == std::vector<int>{6, 7, 4, 5, 2, 3, 0, 1});
}

TEST_CASE("a chance of a quarter comes true for about a quarter of the samples") {
  int count = 0;
  for (uint64_t sample = 0; sample < 2000; ++sample) count += flipped(0.25, 0, sample)[0] == 2;
  CHECK(std::abs(count - 500) < 5 * 19.4);  // five deviations of sqrt(2000 * 0.25 * 0.75)
}

TEST_CASE("other shapes are refused") {
  TestHost host;
  const Entry entry = linked("plait.flip");
  CHECK_THROWS_WITH(AugmenterTest(host, entry, Settings(entry), {{"image", DType::u8, {2, 2}}}),
                    "part \"image\" is u8[2, 2], wanted [H, W, C]");
}

}  // namespace
