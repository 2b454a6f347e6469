// Kernels against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "average_pool.h"
#include "cuda_work.hpp"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

namespace {

const Entry kAveragePool = linked("plait.average_pool");

// The same sums in the same order; a product may be rounded before it is added, or not: 2^-24 of each of at
// most 9 terms that are below 1.
constexpr double kNear = 9 * 0x1p-24;

template <class Index>
void check(std::vector<int64_t> extents, int kernel, int stride, int padding, bool include_padding) {
  CAPTURE(extents.size());
  CAPTURE(kernel);
  CAPTURE(include_padding);
  TestHost host;
  LayerTest layer(host, kAveragePool,
                  Settings(kAveragePool)
                      .set("implementation", "own")
                      .set("kernel", kernel)
                      .set("stride", stride)
                      .set("padding", padding)
                      .set("count_include_pad", include_padding),
                  {{"x", DType::f32, extents}});
  layer.forward();
  layer.output_gradients[0].randomize(5);
  layer.input_gradients[0].randomize(6);
  const Out dx = layer.input_gradients[0].f32();
  std::vector<float> own_dx(dx.begin(), dx.end()), own_y(layer.output().f32().size());
  layer.accumulate = true;
  layer.backward();

  layers::AveragePool config;
  config.kernel = {kernel}, config.stride = {stride}, config.padding = {padding};
  const std::vector<PartSpec> inputs = {layer.inputs[0].spec()};
  const SpecList specs(inputs);
  const Window window = config.window(Spec(specs.data()[0]));
  const layers::AveragePoolGrid<Index> grid{{window, static_cast<uint64_t>(extents.back())}, include_padding};
  on_card::map(own_y.size(),
               layers::AveragePoolForward<Index>{grid, layer.input().f32().data(), own_y.data()});
  on_card::map(own_dx.size(), layers::AveragePoolBackward<Index>{grid, layer.output_gradients[0].f32().data(),
                                                                 own_dx.data(), true});
  CHECK(on_card::distance(own_y, layer.output().f32()) <= kNear);
  CHECK(on_card::distance(own_dx, dx) <= kNear);
}

}  // namespace

TEST_CASE("average_pool's kernels do what the host does") {
  for (const bool include_padding : {false, true}) {
    check<uint32_t>({2, 6, 6, 3}, 2, 2, 0, include_padding);
    check<uint64_t>({2, 7, 5, 3}, 3, 2, 1, include_padding);
    check<uint32_t>({1, 9, 8, 2}, 3, 1, 2, include_padding);
    check<uint32_t>({3, 11, 4}, 3, 5, 1, include_padding);
    check<uint64_t>({1, 4, 5, 6, 2}, 2, 1, 1, include_padding);
  }
}
