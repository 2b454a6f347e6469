#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {
const Entry kDropout = linked("plait.dropout");
}

TEST_CASE("dropout keeps the right share, scaled, whatever the lanes") {
  constexpr size_t kCount = 40000;
  std::vector<float> one_lane;
  for (int lanes : {1, 3}) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kDropout, Settings(kDropout).set("probability", 0.25),
                    {{"x", DType::f32, {4, kCount / 4}}});
    layer.forward();
    const Out x = layer.input().f32(), y = layer.output().f32();
    size_t zeros = 0;
    for (size_t i = 0; i < kCount; ++i) {
      CHECK((y[i] == 0 || y[i] == x[i] * static_cast<float>(1 / 0.75)));
      zeros += y[i] == 0;
    }
    // Deviation of the count: sqrt(40000 x 0.25 x 0.75) = 87; five of them.
    CHECK(std::abs(static_cast<double>(zeros) - 10000) < 5 * 87);
    if (one_lane.empty()) one_lane.assign(y.begin(), y.end());
    CHECK(std::equal(y.begin(), y.end(), one_lane.begin()));
    CHECK(layer.gradient_error() < 1e-2);
  }
}
