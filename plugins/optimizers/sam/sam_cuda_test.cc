// Kernels against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "sam.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

TEST_CASE("sam's kernels do what the host does") {
  const Entry sam = linked("plait.sam");
  TestHost host;
  OptimizerTest test(host, sam, Settings(sam), 3000, {0.05, 0.1, 0.9, 0.01});
  std::vector<float> w(test.weights.f32().begin(), test.weights.f32().end()), v(3000);
  const float* g = test.gradients.f32().data();
  double length = 0;
  on_card::sum_columns(gpu::ColumnSplit(3000, 1), optimizers::SamLength{g}, optimizers::SamKeep{&length});
  test.observed = test.observe();
  CHECK(length == doctest::Approx(test.observed).epsilon(1e-12));  // sums in f64
  on_card::map(3000, optimizers::SamClimb{static_cast<float>(0.05 / std::sqrt(length)), g, w.data()});
  test.move();
  CHECK(on_card::distance(w, test.weights.f32()) <= 4 * 0x1p-24);
  for (int step = 0; step < 3; ++step) {
    on_card::map(3000, optimizers::SamDescend{0.1f, 0.01f, 0.9f, g, w.data(), v.data()});
    test.step();
    CHECK(on_card::distance(w, test.weights.f32()) <= 10 * 0x1p-24);
    CHECK(on_card::distance(v, test.slots[0].f32()) <= 10 * 0x1p-24);
  }
}
