// Kernels of our own against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "convolution.h"
#include "cuda_work.hpp"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

namespace {

const Entry kConvolution = linked("plait.convolution");

struct Case {
  std::vector<int64_t> extents;
  int filters, kernel, stride, padding, dilation, groups;
};

// Sums of `terms` products below 1, in f32 and another order.
double near(double terms) { return terms * 0x1p-24; }

convolution::ConvolutionShape shape_of(const Case& e, LayerTest& layer) {
  convolution::Convolution config;
  config.kernel = {e.kernel}, config.stride = {e.stride}, config.padding = {e.padding},
  config.dilation = {e.dilation};
  const std::vector<PartSpec> inputs = {layer.inputs[0].spec()};
  const SpecList specs(inputs);
  const auto whole = [](int64_t n) { return static_cast<size_t>(n); };
  return {config.window(Spec(specs.data()[0])),
          whole(e.extents[0]),
          whole(e.extents.back()),
          whole(e.filters),
          whole(e.groups),
          false,
          true,
          true,
          true,
          false,
          {}};
}

// Element i of what tiles make of `from` and w.
float element(const convolution::TileShape& s, size_t groups, const float* from, const float* w, size_t i) {
  const size_t wide = groups * s.columns, column = i % wide;
  float sum = 0;
  for (size_t term = 0; term < s.terms; ++term) {
    const int64_t at = s.read(s.row(i / wide), s.term(term), column / s.columns);
    if (at >= 0) sum += from[at] * w[s.weight(column / s.columns, column % s.columns, s.term(term))];
  }
  return sum;
}

void check(const Case& e) {
  CAPTURE(e.extents.size());
  CAPTURE(e.kernel);
  CAPTURE(e.groups);
  TestHost host;
  LayerTest layer(host, kConvolution,
                  Settings(kConvolution)
                      .set("filters", e.filters)
                      .set("kernel", e.kernel)
                      .set("stride", e.stride)
                      .set("padding", e.padding)
                      .set("dilation", e.dilation)
                      .set("groups", e.groups)
                      .set("bias", false),
                  {{"x", DType::f32, e.extents}});
  layer.forward();
  layer.output_gradients[0].randomize(5);
  layer.backward();

  const convolution::ConvolutionShape shape = shape_of(e, layer);
  const convolution::CudaGrid grid(shape);
  const size_t channels = grid.group_channels, taps = grid.taps, rows = shape.batch * grid.outputs;
  const Out plain = layer.parameters[0].f32();
  std::vector<float> w(plain.size()), back(plain.size());
  on_card::map(w.size(), convolution::TurnedWeights{channels, taps, plain.data(), w.data()});
  on_card::map(w.size(), convolution::TurnedWeights{taps, channels, w.data(), back.data()});
  CHECK(on_card::distance(back, plain) == 0);
  std::vector<float> y(layer.output().f32().size()), dx(layer.input().f32().size()), dw(w.size());
  const float *x = layer.input().f32().data(), *dy = layer.output_gradients[0].f32().data();
  const convolution::TileShape there{grid, rows, false}, back_again{grid, shape.batch * grid.inputs, true};
  for (size_t i = 0; i < y.size(); ++i) y[i] = element(there, shape.groups, x, w.data(), i);
  for (size_t i = 0; i < dx.size(); ++i) dx[i] = element(back_again, shape.groups, dy, w.data(), i);
  std::vector<double> sums(w.size());
  for (size_t row = 0; row < rows; ++row)
    for (size_t group = 0; group < shape.groups; ++group)
      for (size_t term = 0; term < there.terms; ++term) {
        const int64_t at = there.read(there.row(row), there.term(term), group);
        for (size_t f = 0; at >= 0 && f < grid.group_filters; ++f)
          sums[there.weight(group, f, there.term(term))] +=
              double{x[at]} * double{dy[row * shape.filters + group * grid.group_filters + f]};
      }
  for (size_t i = 0; i < w.size(); ++i) convolution::KeepPlain{channels, taps, dw.data()}(i, &sums[i]);
  const double terms = static_cast<double>(taps * channels),
               filters = static_cast<double>(taps * grid.group_filters);
  CHECK(on_card::distance(y, layer.output().f32()) <= near(terms));
  CHECK(on_card::distance(dx, layer.input_gradients[0].f32()) <= near(filters));
  CHECK(on_card::distance(dw, layer.parameter_gradients[0].f32()) <= near(static_cast<double>(rows)));
}

}  // namespace

TEST_CASE("convolution's own kernels do what the host does") {
  check({{2, 7, 6, 3}, 5, 3, 1, 1, 1, 1});
  check({{2, 9, 8, 4}, 6, 3, 2, 1, 1, 2});
  check({{1, 9, 9, 2}, 3, 3, 1, 2, 2, 1});
  check({{3, 12, 5}, 4, 5, 3, 2, 1, 1});
  check({{1, 4, 5, 4, 2}, 3, 2, 1, 1, 1, 1});
  check({{2, 5, 5, 6}, 6, 3, 1, 1, 1, 6});
  check({{2, 5, 5, 7}, 9, 1, 1, 0, 1, 1});
}
