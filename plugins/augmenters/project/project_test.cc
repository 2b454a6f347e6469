#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TestTensor array(const char* name, std::vector<int64_t> shape, std::vector<double> values) {
  TestTensor made(name, DType::f64, std::move(shape));
  std::copy(values.begin(), values.end(), made.data<double>().begin());
  return made;
}

TEST_CASE("by hand, of every element type") {
  TestHost host;
  const TestTensor transform = array("transform", {2, 3}, {1, 2, 3, -1, 0, 0.5});
  const TestTensor offset = array("offset", {2}, {10, 20});
  const Settings settings =
      Settings(linked("plait.project")).set_stage("from", "p", {transform.c(), offset.c()});
  const auto check = [&](auto zero, DType type) {
    AugmenterTest test(host, linked("plait.project"), settings, {{"image", type, {1, 3, 1}}});
    REQUIRE(test.sample.outputs[0].spec().shape == std::vector<int64_t>{2});
    const auto x = test.sample.inputs[0].data<decltype(zero)>();
    x[0] = 4, x[1] = 5, x[2] = 6;
    test.apply();
    CHECK(test.sample.outputs[0].f32()[0] == 42);
    CHECK(test.sample.outputs[0].f32()[1] == 19);
  };
  check(uint8_t{}, DType::u8);
  check(float{}, DType::f32);
  check(double{}, DType::f64);
  check(int32_t{}, DType::i32);
  check(int64_t{}, DType::i64);
}

TEST_CASE("more elements than a piece, without an offset") {
  TestHost host;
  const TestTensor transform = array("transform", {1, 700}, std::vector<double>(700, 1));
  const Settings settings = Settings(linked("plait.project")).set_stage("from", "p", {transform.c()});
  AugmenterTest test(host, linked("plait.project"), settings, {{"image", DType::u8, {700}}});
  for (uint8_t& value : test.sample.inputs[0].data<uint8_t>()) value = 3;
  test.apply();
  CHECK(test.sample.outputs[0].f32()[0] == 2100);
}

TEST_CASE("what does not fit is refused") {
  TestHost host;
  const TestTensor transform = array("transform", {2, 3}, {1, 2, 3, 4, 5, 6});
  const TestTensor offset = array("offset", {3}, {1, 2, 3});
  const TestTensor other = array("mean", {2}, {1, 2});
  const auto with = [&](std::vector<const plait_tensor*> arrays, PartSpec part) {
    const Settings settings = Settings(linked("plait.project")).set_stage("from", "p", std::move(arrays));
    AugmenterTest(host, linked("plait.project"), settings, {part});
  };
  CHECK_THROWS_WITH(with({transform.c()}, {"image", DType::u8, {4}}),
                    "transform of stage \"p\" is [2, 3], wanted [K, 4] for the elements of part \"image\"");
  CHECK_THROWS_WITH(with({transform.c(), offset.c()}, {"image", DType::u8, {3}}),
                    "offset of stage \"p\" is [3], wanted [2]");
  CHECK_THROWS_WITH(with({other.c()}, {"image", DType::u8, {3}}),
                    "stage \"p\" makes no array \"transform\", only: mean");
  const TestTensor endless = array("transform", {1, 1}, {1e300});
  CHECK_THROWS_WITH(with({endless.c()}, {"image", DType::u8, {1}}),
                    "transform of stage \"p\" holds 1e+300, which is no number of f32");
}

}  // namespace
