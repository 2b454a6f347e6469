// Kernels against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "batch_norm.h"
#include "cuda_work.hpp"
#include "rows.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

namespace {

const Entry kBatchNorm = linked("plait.batch_norm");

// Sums agree to about 1e-15 whatever their order; what follows is rounded three times in f32.
constexpr double kNear = 4 * 0x1p-24;

struct Kernels {
  LayerTest& layer;
  uint64_t channels;
  gpu::ColumnSplit split;
  layers::BatchRows host_rows;
  layers::BatchNormRows rows;
  Absorbed f;
  std::vector<float> y, dx, dw, db, saved, mean, variance, numbers;

  explicit Kernels(LayerTest& of, Absorbed absorbed = {})
      : layer(of),
        channels(static_cast<uint64_t>(of.input().spec().shape.back())),
        split(of.input().f32().size() / channels, channels),
        host_rows(of.input().view()),
        rows{SamplePlaces(of.input().view()), channels, of.input().c()->lengths,
             of.input().c()->second_lengths},
        f(absorbed),
        y(of.input().f32().size()),
        dx(y.size()),
        dw(channels),
        db(channels),
        saved(2 * channels),
        mean(of.buffers[0].f32().begin(), of.buffers[0].f32().end()),
        variance(of.buffers[1].f32().begin(), of.buffers[1].f32().end()),
        numbers(3 * channels) {}

  layers::BatchNormFactors factors() { return {&numbers[0], &numbers[channels], &numbers[2 * channels]}; }
  layers::BatchNormUndone undone() {
    return {f, f.needs_output() ? y.data() : nullptr, layer.output_gradients[0].f32().data()};
  }
  const float* x() { return layer.input().f32().data(); }
  const float* parameter(size_t i) { return layer.parameters[i].f32().data(); }

  double count() { return static_cast<double>(host_rows.count(layer.input().view())); }

  void forward(double momentum, double epsilon) {
    const float* const about = x() + host_rows.first(layer.input().view()) * channels;
    on_card::sum_columns(
        split, layers::BatchNormTerms{x(), about, x(), about, rows},
        layers::BatchNormLearn{count(), momentum, epsilon, channels, about, parameter(0), parameter(1),
                               saved.data(), mean.data(), variance.data(), factors()});
    on_card::map(y.size(), layers::BatchNormApply{f, channels, x(), y.data(), factors(), rows});
  }
  void forward_by_running(double epsilon) {
    on_card::map(channels, layers::BatchNormRunning{epsilon, mean.data(), variance.data(), parameter(0),
                                                    parameter(1), factors()});
    on_card::map(y.size(), layers::BatchNormApply{f, channels, x(), y.data(), factors(), rows});
  }
  void backward() {
    const layers::BatchNormUndone d = undone();
    const layers::BatchNormSlopes by = {&numbers[0], &numbers[channels], &numbers[2 * channels]};
    on_card::sum_columns(
        split, layers::BatchNormGradientTerms{d, x(), saved.data(), rows},
        layers::BatchNormGradients{count(), channels, parameter(0), saved.data(), dw.data(), db.data(), by});
    on_card::map(dx.size(),
                 layers::BatchNormInputGradient{channels, d, x(), saved.data(), dx.data(), by, rows});
  }
};

// What is past the extents is zeros in the batch, as the host keeps it.
void set_extents(TestTensor& x, std::vector<int32_t> first, std::vector<int32_t> second) {
  x.lengths = std::move(first), x.second_lengths = std::move(second);
  const SamplePlaces places(x.view());
  const auto channels = static_cast<size_t>(x.spec().shape.back());
  for (size_t n = 0; n < x.lengths.size(); ++n) {
    std::vector<bool> used(places.count());
    places.each(places.of(x.view(), n), [&](uint64_t place) { used[place] = true; });
    for (size_t i = 0; i < used.size() * channels; ++i)
      if (!used[i / channels]) x.f32()[n * used.size() * channels + i] = 0;
  }
}

void check(std::vector<int64_t> extents, float offset, bool relu = false, bool varies = false) {
  CAPTURE(extents.size());
  CAPTURE(offset);
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("momentum", 0.3).set("epsilon", 1e-3),
                  {varies ? PartSpec("x", DType::f32, extents, 1, 2) : PartSpec("x", DType::f32, extents)},
                  relu ? std::vector{epilogue_of("relu", 0.25)} : std::vector<plait_epilogue>());
  for (float& x : layer.input().f32()) x += offset;
  if (varies) set_extents(layer.input(), {3, 6, 1, 0}, {6, 2, 1, 4});
  Kernels kernels(layer, relu ? Absorbed{Absorbed::kRelu, 0.25f, 0} : Absorbed{});
  kernels.forward(0.3, 1e-3);
  layer.forward();
  layer.output_gradients[0].randomize(5);
  layer.backward();
  kernels.backward();
  CHECK(on_card::distance(kernels.y, layer.output().f32()) <= kNear);
  CHECK(on_card::distance(kernels.mean, layer.buffers[0].f32()) <= kNear);
  CHECK(on_card::distance(kernels.variance, layer.buffers[1].f32()) <= kNear);
  CHECK(on_card::distance(kernels.dw, layer.parameter_gradients[0].f32()) <= kNear);
  CHECK(on_card::distance(kernels.db, layer.parameter_gradients[1].f32()) <= kNear);
  CHECK(on_card::distance(kernels.dx, layer.input_gradients[0].f32()) <= kNear);

  layer.training = false;
  layer.forward();
  kernels.forward_by_running(1e-3);
  CHECK(on_card::distance(kernels.y, layer.output().f32()) <= kNear * (1 + std::abs(offset)));
}

}  // namespace

TEST_CASE("batch_norm's kernels do what the host does") {
  for (const float offset : {0.0f, 1000.0f}) {
    check({7, 3, 5}, offset);
    check({4, 6, 6, 40}, offset);
    check({2, 1}, offset);
    check({3000, 2}, offset);
    check({4, 6, 6, 40}, offset, true);
    check({4, 6, 6, 40}, offset, false, true);
    check({4, 6, 6, 3}, offset, true, true);
  }
}

TEST_CASE("frozen, batch_norm's kernels scale gradients by the running statistics") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {5, 4}}}, {}, true, true);
  layer.buffers[1].randomize(3, 0.5, 2);
  layer.output_gradients[0].randomize(5);
  layer.forward();
  layer.backward();
  Kernels kernels(layer);
  kernels.forward_by_running(1e-5);
  on_card::map(kernels.dx.size(),
               layers::BatchNormFixedGradient{kernels.channels, kernels.undone(), kernels.factors().factor,
                                              kernels.dx.data(), kernels.rows});
  CHECK(on_card::distance(kernels.y, layer.output().f32()) <= kNear);
  CHECK(on_card::distance(kernels.dx, layer.input_gradients[0].f32()) <= kNear);
}
