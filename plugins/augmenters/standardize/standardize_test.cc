#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

template <class V>
std::vector<float> made_of(DType type, std::vector<V> values) {
  TestHost host;
  AugmenterTest test(host, linked("plait.standardize"), Settings(linked("plait.standardize")),
                     {{"image", type, {static_cast<int64_t>(values.size())}}});
  std::copy(values.begin(), values.end(), test.sample.inputs[0].data<V>().begin());
  test.apply();
  const auto out = test.sample.outputs[0].f32();
  return {out.begin(), out.end()};
}

TEST_CASE("by hand: mean 5, deviation 3") {
  const std::vector<float> made = made_of<uint8_t>(DType::u8, {2, 8, 2, 8});
  for (size_t i = 0; i < 4; ++i) CHECK(made[i] == doctest::Approx(i % 2 == 0 ? -1 : 1).epsilon(1e-6));
}

TEST_CASE("mean 0 and deviation 1, far from 0 too; one value alone becomes 0") {
  std::vector<float> values;
  for (uint64_t i = 0; i < 1000; ++i) values.push_back(static_cast<float>(1e4 + Random(1, 1).uniform_at(i)));
  double sum = 0, squares = 0;
  for (const float x : made_of(DType::f32, values)) sum += x, squares += static_cast<double>(x) * x;
  CHECK(std::abs(sum / 1000) < 1e-2);  // the mean is rounded to a thousandth, of a deviation of 0.29
  CHECK(squares / 1000 == doctest::Approx(1).epsilon(1e-3));
  CHECK(made_of<uint8_t>(DType::u8, {77, 77, 77}) == std::vector<float>{0, 0, 0});
}

TEST_CASE("whole numbers are refused") {
  CHECK_THROWS_WITH(made_of<int32_t>(DType::i32, {1, 2}),
                    "part \"image\" is i32[2], wanted u8 or f32 of a fixed shape");
}

}  // namespace
