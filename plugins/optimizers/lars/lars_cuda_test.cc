// Kernels against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "lars.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

TEST_CASE("lars's kernels do what the host does") {
  const Entry lars = linked("plait.lars");
  for (const bool decays : {false, true}) {
    TestHost host;
    OptimizerTest test(host, lars, Settings(lars).set("trust", 0.02), 3000, {0.5, 0.9, 0.1});
    test.flags = decays ? 0 : uint32_t{PLAIT_PARAMETER_NO_DECAY};
    std::vector<float> w(test.weights.f32().begin(), test.weights.f32().end()), v(3000);
    const double decay = decays ? 0.1 : 0;
    const float* g = test.gradients.f32().data();
    for (int step = 0; step < 3; ++step) {
      double scaled = 0;
      on_card::sum_columns(gpu::ColumnSplit(3000, 1), optimizers::LarsLengths{w.data(), g},
                           optimizers::LarsRate{0.5, 0.02, decay, &scaled});
      on_card::map(3000, optimizers::LarsStep{decays ? &scaled : nullptr, 0.5, static_cast<float>(decay),
                                              0.9f, g, w.data(), v.data()});
      test.step();
      CHECK(on_card::distance(w, test.weights.f32()) <= 10 * 0x1p-24);
      CHECK(on_card::distance(v, test.slots[0].f32()) <= 10 * 0x1p-24);
    }
  }
}

TEST_CASE("lars's rate is plain where weights or gradient have no length") {
  double scaled = 0;
  for (const auto& lengths : {std::array{0.0, 4.0}, std::array{4.0, 0.0}}) {
    optimizers::LarsRate{0.5, 0.02, 0.1, &scaled}(0, lengths.data());
    CHECK(scaled == 0.5);
  }
}
