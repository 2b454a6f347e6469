// Kernels against the host's implementation: the same order of everything, so the same bits.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "max_pool.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

namespace {

const Entry kMaxPool = linked("plait.max_pool");

template <class Index, class Tap>
void check(std::vector<int64_t> extents, int kernel, int stride, int padding, bool accumulate) {
  CAPTURE(extents.size());
  CAPTURE(kernel);
  CAPTURE(stride);
  CAPTURE(padding);
  TestHost host;
  LayerTest layer(host, kMaxPool,
                  Settings(kMaxPool).set("kernel", kernel).set("stride", stride).set("padding", padding),
                  {{"x", DType::f32, extents}});
  layer.input().f32()[0] = NAN;
  layer.forward();
  layer.output_gradients[0].randomize(5);
  layer.input_gradients[0].randomize(6);
  const Out dx = layer.input_gradients[0].f32(), x = layer.input().f32();
  std::vector<float> own_dx(dx.begin(), dx.end()), own_y(layer.output().f32().size());
  layer.accumulate = accumulate;
  layer.backward();

  layers::MaxPool config;
  config.kernel = {kernel}, config.stride = {stride}, config.padding = {padding};
  const std::vector<PartSpec> inputs = {layer.inputs[0].spec()};
  const SpecList specs(inputs);
  const Window window = config.window(Spec(specs.data()[0]));
  const auto channels = static_cast<uint64_t>(extents.back());
  const gpu::WindowGrid<Index> grid(window, channels);
  std::vector<Tap> places(own_y.size());
  on_card::map(own_y.size(), layers::MaxPoolForward<Index, Tap>{grid, x.data(), own_y.data(), places.data()});
  on_card::map(own_dx.size(),
               layers::MaxPoolBackward<Index, Tap>{grid, layer.output_gradients[0].f32().data(),
                                                   places.data(), own_dx.data(), accumulate});
  CHECK(on_card::distance(own_y, layer.output().f32()) == 0);
  CHECK(on_card::distance(own_dx, dx) == 0);
}

}  // namespace

TEST_CASE("max_pool's kernels do what the host does") {
  for (const bool accumulate : {false, true}) {
    check<uint32_t, uint8_t>({2, 6, 6, 3}, 2, 2, 0, accumulate);
    check<uint64_t, uint8_t>({2, 7, 5, 3}, 3, 2, 1, accumulate);
    check<uint32_t, uint32_t>({1, 9, 8, 2}, 3, 1, 2, accumulate);
    check<uint32_t, uint8_t>({3, 11, 4}, 3, 5, 1, accumulate);
    check<uint64_t, uint32_t>({1, 4, 5, 6, 2}, 2, 1, 1, accumulate);
    check<uint32_t, uint32_t>({1, 17, 17, 2}, 17, 17, 0, accumulate);
  }
}
