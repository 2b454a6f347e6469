// A plugin in plain C does what one written with the SDK does, seen through the same tables.
#include <doctest/doctest.h>

#include <plait/sdk.hpp>
#include <plait/sdk/testing_plugin.hpp>

namespace plait::sdk::testing {
namespace {

TEST_CASE("values and gradients of the layer in C") {
  TestHost host;
  const Entry scale = linked("example.scale");
  LayerTest test(host, scale, Settings(scale).set("factor", 3.0), {{"x", DType::f32, {2, 3, 4}}});
  test.forward();
  for (size_t i = 0; i < 24; ++i) {
    const float y = 3 * test.input().f32()[i] + test.parameters.at(0).f32()[i % 4];
    CHECK(test.output().f32()[i] == doctest::Approx(y));
  }
  CHECK(test.backward_reads == 0);
  CHECK(test.gradient_error() < 1e-3);
}

TEST_CASE("its default and its refusals") {
  TestHost host;
  const Entry scale = linked("example.scale");
  LayerTest test(host, scale, Settings(scale), {{"x", DType::f32, {1, 1}}});
  test.forward();
  const float y = 2 * test.input().f32()[0] + test.parameters.at(0).f32()[0];
  CHECK(test.output().f32()[0] == doctest::Approx(y));
  CHECK_THROWS_WITH(LayerTest(host, scale, Settings(scale), {{"x", DType::u8, {1, 1}}}),
                    "wanted an input [N, ..., C] of f32");
}

}  // namespace
}  // namespace plait::sdk::testing
