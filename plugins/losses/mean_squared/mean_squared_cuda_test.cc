// Kernels against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "mean_squared.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

TEST_CASE("mean_squared's kernels do what the host does") {
  const Entry mean_squared = linked("plait.mean_squared");
  for (const int64_t batch : {1, 7, 5000}) {
    TestHost host;
    LossTest loss(host, mean_squared, Settings(mean_squared), {"p", DType::f32, {batch, 3}},
                  {"t", DType::f32, {batch, 3}});
    loss.prediction.randomize(1), loss.target.randomize(2);
    loss.gradient_scale = 0.5;
    loss.compute();
    const auto count = static_cast<uint64_t>(3 * batch);
    std::vector<float> dp(count);
    double result[2] = {};
    int32_t bad_target = 7;
    const auto factor = static_cast<float>(2 * 0.5 / static_cast<double>(count));
    on_card::sum_columns(gpu::ColumnSplit(count, 1),
                         losses::SquaredDifferences<float>{loss.prediction.f32().data(),
                                                           loss.target.f32().data(), factor, dp.data()},
                         losses::KeepLoss{static_cast<double>(count), result, &bad_target});
    CHECK(result[0] == doctest::Approx(loss.result[0]).epsilon(1e-12));  // sums in f64
    CHECK(result[1] == loss.result[1]);
    CHECK(bad_target == -1);
    CHECK(on_card::distance(dp, loss.gradient.f32()) == 0);
  }
}
