#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

std::vector<float> shares_of(AugmenterTest& test) {
  test.apply();
  const auto shares = test.sample.outputs[0].f32();
  return {shares.begin(), shares.end()};
}

TEST_CASE("a class keeps what is left, and all classes have their part") {
  TestHost host;
  const Entry entry = linked("plait.label_smoothing");
  AugmenterTest test(host, entry, Settings(entry).set("classes", 4).set("amount", 0.5),
                     {{"label", DType::i32, {}}});
  test.sample.inputs[0].data<int32_t>()[0] = 2;
  CHECK(shares_of(test) == std::vector<float>{0.125f, 0.125f, 0.625f, 0.125f});
  test.sample.training = false;
  CHECK(shares_of(test) == std::vector<float>{0, 0, 1, 0});
  test.sample.inputs[0].data<int32_t>()[0] = -1;
  CHECK_THROWS_WITH(test.apply(), "part \"label\" is class -1, wanted 0 .. 3");
}

TEST_CASE("shares are smoothed as they come") {
  TestHost host;
  const Entry entry = linked("plait.label_smoothing");
  AugmenterTest test(host, entry, Settings(entry).set("classes", 2).set("amount", 0.5),
                     {{"label", DType::f32, {2}}});
  test.sample.inputs[0].f32()[0] = 0.75f;
  test.sample.inputs[0].f32()[1] = 0.25f;
  CHECK(shares_of(test) == std::vector<float>{0.625f, 0.375f});
}

TEST_CASE("what is no label is refused") {
  TestHost host;
  const Entry entry = linked("plait.label_smoothing");
  for (const PartSpec& spec : {PartSpec{"label", DType::f32, {3}}, PartSpec{"label", DType::i32, {2}}})
    CHECK_THROWS(AugmenterTest(host, entry, Settings(entry).set("classes", 2), {spec}));
}

}  // namespace
