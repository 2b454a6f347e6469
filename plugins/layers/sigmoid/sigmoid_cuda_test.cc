// Kernels against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/absorbed.hpp>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

// Both are within two units of the last place of the function, which is at most 1; its slope by y doubles
// that.
TEST_CASE("sigmoid's kernels do what the host does") {
  const Entry layer_type = linked("plait.sigmoid");
  TestHost host;
  LayerTest layer(host, layer_type, Settings(layer_type), {{"x", DType::f32, {1000}}});
  layer.input().randomize(3, -12, 12);
  layer.forward();
  layer.output_gradients[0].randomize(5);
  layer.backward();
  std::vector<float> y(1000), dx(1000);
  const Absorbed f{Absorbed::kSigmoid, 0, 0};
  on_card::map(1000, gpu::Apply{f, layer.input().f32().data(), y.data()});
  on_card::map(1000, gpu::Undo{f, y.data(), layer.output_gradients[0].f32().data(), dx.data()});
  CHECK(on_card::distance(y, layer.output().f32()) <= 4 * 0x1p-24);
  CHECK(on_card::distance(dx, layer.input_gradients[0].f32()) <= 10 * 0x1p-24);
}
