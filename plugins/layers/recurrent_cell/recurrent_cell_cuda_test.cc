// Kernels against the host's implementation; products are loops here.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "recurrent_cell.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

namespace {

// A state is a function of all before it, of which each is rounded as often as a sum has terms.
double near(double steps, double terms) { return steps * terms * 0x1p-24; }

// to [rows, columns] = sum over n of a [n, rows] b [n, columns]
std::vector<float> outer(const std::vector<float>& a, const float* b, size_t rows, size_t columns) {
  std::vector<float> to(rows * columns);
  for (size_t n = 0; n < a.size() / rows; ++n)
    for (size_t r = 0; r < rows; ++r)
      for (size_t k = 0; k < columns; ++k) to[r * columns + k] += a[n * rows + r] * b[n * columns + k];
  return to;
}

// lengths: null, or of three samples.
void check(const char* cell, bool gru, const int32_t* lengths) {
  constexpr uint64_t kBatch = 3, kSteps = 4, kChannels = 5, kUnits = 7;
  const Entry recurrent_cell = linked("plait.recurrent_cell");
  TestHost host;
  LayerTest layer(host, recurrent_cell,
                  Settings(recurrent_cell).set("units", int64_t{kUnits}).set("cell", cell),
                  {PartSpec("x", DType::f32, {kBatch, kSteps, kChannels}, lengths ? 1 : -1)});
  if (lengths) layer.inputs[0].lengths.assign(lengths, lengths + kBatch);
  layer.forward();
  layer.output_gradients[0].randomize(5);
  layer.backward();

  const uint64_t rows = (gru ? 3 : 1) * kUnits, all = kBatch * kSteps;
  const layers::RecurrentSizes s{kBatch, kSteps, kUnits, rows, gru, lengths};
  std::vector<float> there(all * kChannels);
  on_card::map(there.size(), layers::StepsThatAre{s, kChannels, layer.input().f32().data(), there.data()});
  const float *x = there.data(), *wi = layer.parameters[0].f32().data(),
              *wh = layer.parameters[1].f32().data(), *bi = layer.parameters[2].f32().data();
  std::vector<float> a(all * rows), turned(rows * kUnits), y(all * kUnits), saved(all * 4 * kUnits);
  for (size_t n = 0; n < all; ++n)
    for (size_t r = 0; r < rows; ++r) {
      a[n * rows + r] = bi[r];
      for (size_t k = 0; k < kChannels; ++k) a[n * rows + r] += wi[r * kChannels + k] * x[n * kChannels + k];
    }
  on_card::map(turned.size(), layers::Transpose{rows, kUnits, wh, turned.data()});
  const layers::RecurrentForward forward{
      s, a.data(), turned.data(), layer.parameters[3].f32().data(), y.data(), gru ? saved.data() : nullptr};
  std::vector<float> da(all * rows), more(all * rows), dh(kBatch * kUnits), before(all * kUnits);
  float* const db = gru ? more.data() : da.data();
  const layers::RecurrentBackward backward{
      s, y.data(), layer.output_gradients[0].f32().data(), saved.data(), wh, da.data(), db, dh.data()};
  for (uint64_t n = 0; n < kBatch; ++n) {
    for (uint64_t t = 0; t < kSteps; ++t)
      for (uint64_t i = 0; i < kUnits; ++i) forward.unit(n, t, i);
    for (uint64_t t = kSteps; t-- > 0;) {
      for (uint64_t i = 0; i < kUnits; ++i) backward.gates(n, t, i);
      for (uint64_t i = 0; i < kUnits; ++i) backward.back(n, t, i);
    }
  }
  on_card::map(before.size(), layers::StatesBefore{s, y.data(), before.data()});
  const double terms = kChannels + kUnits;
  CHECK(on_card::distance(y, layer.output().f32()) <= near(kSteps, terms));
  CHECK(on_card::distance(outer(da, x, rows, kChannels), layer.parameter_gradients[0].f32()) <=
        near(all, terms));
  CHECK(on_card::distance(outer(gru ? more : da, before.data(), rows, kUnits),
                          layer.parameter_gradients[1].f32()) <= near(all, terms));
  std::vector<float> dbi(rows), dbh(rows);
  const gpu::ColumnSplit split(all, rows);
  on_card::sum_columns(split, gpu::SumOf{da.data()}, gpu::KeepFirst{dbi.data()});
  on_card::sum_columns(split, gpu::SumOf{db}, gpu::KeepFirst{dbh.data()});
  CHECK(on_card::distance(dbi, layer.parameter_gradients[2].f32()) <= near(all, terms));
  CHECK(on_card::distance(dbh, layer.parameter_gradients[3].f32()) <= near(all, terms));
}

}  // namespace

TEST_CASE("recurrent_cell's kernels do what the host does") {
  const int32_t lengths[] = {4, 1, 0};
  for (const int32_t* some : {static_cast<const int32_t*>(nullptr), lengths}) {
    check("elman", false, some);
    check("gru", true, some);
  }
}
