// Kernels against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/moments.hpp>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "adamw.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

// A step is rounded some ten times on the way.
TEST_CASE("adamw's kernels do what the host does") {
  const Entry adamw = linked("plait.adamw");
  TestHost host;
  OptimizerTest test(host, adamw, Settings(adamw), 300, {0.01, 0.1});
  std::vector<float> w(test.weights.f32().begin(), test.weights.f32().end()), m(300), v(300);
  optimizers::AdamW config;
  config.rate = 0.01, config.weight_decay = 0.1;
  for (int64_t step = 0; step < 3; ++step) {
    plait_optimizer_call call{};
    call.updates = step;
    const MomentFactors f = config.factors(OptimizerCall(&call));
    on_card::map(300, gpu::MomentStep{f, test.gradients.f32().data(), w.data(), m.data(), v.data()});
    test.step();
    CHECK(on_card::distance(w, test.weights.f32()) <= 10 * 0x1p-24);
    CHECK(on_card::distance(m, test.slots[0].f32()) <= 10 * 0x1p-24);
    CHECK(on_card::distance(v, test.slots[1].f32()) <= 10 * 0x1p-24);
  }
}
