#include <doctest/doctest.h>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("by hand: mean of squares, and its gradient") {
  TestHost host;
  LossTest penalty(host, linked("plait.l2"), Settings(linked("plait.l2")),
                   std::vector<PartSpec>{{"p", DType::f32, {2, 2}}}, {});
  penalty.prediction.fill({3, 0, -0.5f, 1});
  penalty.gradient_scale = 2;
  CHECK(penalty.compute() == (9 + 0.25 + 1) / 4);
  CHECK(penalty.result[1] == 4);
  const float expected[4] = {3, 0, -0.5f, 1};
  for (size_t i = 0; i < 4; ++i) CHECK(penalty.gradient.f32()[i] == expected[i]);
}

}  // namespace
