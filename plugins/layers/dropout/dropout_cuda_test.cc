// Kernels against the host's implementation: the same elements, and so the same bits.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "dropout.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

TEST_CASE("dropout's kernels drop what the host drops") {
  const Entry dropout = linked("plait.dropout");
  for (const int64_t size : {1, 8, 133})
    for (const double rate : {0.0, 0.25, 0.9}) {
      CAPTURE(size);
      CAPTURE(rate);
      TestHost host;
      LayerTest layer(host, dropout, Settings(dropout).set("rate", rate), {{"x", DType::f32, {size}}});
      layer.rng = {0x123456789ABCDEF0u, 42};
      layer.forward();
      layer.output_gradients[0].randomize(5);
      layer.backward();
      const auto count = static_cast<uint64_t>(size), bytes = (count + 7) / 8;
      std::vector<float> y(count), dx(count);
      std::vector<uint8_t> kept(bytes);
      const auto factor = static_cast<float>(1 / (1 - rate));
      on_card::map(bytes, layers::DropoutForward{layer.rng,
                                                 static_cast<uint64_t>(rate * 0x1p32),
                                                 {factor, layer.input().f32().data(), y.data(), count},
                                                 kept.data()});
      on_card::map(bytes,
                   layers::DropoutBackward{{factor, layer.output_gradients[0].f32().data(), dx.data(), count},
                                           kept.data()});
      CHECK(on_card::distance(y, layer.output().f32()) == 0);
      CHECK(on_card::distance(dx, layer.input_gradients[0].f32()) == 0);
    }
}
