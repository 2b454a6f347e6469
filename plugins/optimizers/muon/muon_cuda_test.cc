// Kernels against the host's implementation; products are loops here.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "muon.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
namespace on_card = plait::sdk::gpu::testing;

namespace {

using Numbers = std::vector<float>;

// a [rows, terms] times b, [terms, columns] or [columns, terms]
Numbers product(const Numbers& a, const Numbers& b, size_t rows, size_t columns, size_t terms,
                bool transposed) {
  Numbers to(rows * columns);
  for (size_t r = 0; r < rows; ++r)
    for (size_t k = 0; k < columns; ++k)
      for (size_t t = 0; t < terms; ++t)
        to[r * columns + k] += a[r * terms + t] * (transposed ? b[k * terms + t] : b[t * columns + k]);
  return to;
}

// Five rounds of three products each, whose errors the polynomial makes at most 3.4 times as large: within
// 1e-3 of numbers of about 1 / sqrt(columns), times the rate.
void check(uint64_t rows, uint64_t columns, bool nesterov) {
  const Entry muon = linked("plait.muon");
  const size_t count = rows * columns;
  TestHost host;
  OptimizerTest test(host, muon, Settings(muon).set("nesterov", nesterov), count, {0.1, 0.9, 0.01});
  test.shape = {static_cast<int64_t>(rows), static_cast<int64_t>(columns)};
  Numbers w(test.weights.f32().begin(), test.weights.f32().end()), v(count), d(count), x(count);
  on_card::map(count, optimizers::MuonDirection{0.9f, nesterov ? 0.9f : 0.0f, test.gradients.f32().data(),
                                                v.data(), d.data()});
  double length = 0;
  on_card::sum_columns(gpu::ColumnSplit(count, 1), optimizers::MuonLength{d.data()},
                       optimizers::MuonKeepRoot{&length});
  const bool is_tall = rows > columns;
  on_card::map(count, optimizers::MuonUnit{rows, columns, is_tall, &length, d.data(), x.data()});
  const size_t few = std::min(rows, columns), many = std::max(rows, columns);
  for (int i = 0; i < 5; ++i) {
    const Numbers a = product(x, x, few, few, many, true), y = product(a, x, few, many, few, false),
                  z = product(a, y, few, many, few, false);
    for (size_t k = 0; k < count; ++k)
      x[k] = optimizers::kA * x[k] + optimizers::kB * y[k] + optimizers::kC * z[k];
  }
  const double ratio = std::max(1.0, static_cast<double>(rows) / static_cast<double>(columns));
  on_card::map(count, optimizers::MuonMove{static_cast<float>(0.1 * std::sqrt(ratio)),
                                           static_cast<float>(1 - 0.1 * 0.01), rows, columns, is_tall,
                                           x.data(), w.data()});
  test.step();
  CHECK(on_card::distance(w, test.weights.f32()) <= 1e-4);
  CHECK(on_card::distance(v, test.slots[0].f32()) <= 2 * 0x1p-24);
}

}  // namespace

TEST_CASE("muon's kernels do what the host does") {
  for (const bool nesterov : {false, true}) {
    check(6, 9, nesterov);
    check(9, 6, nesterov);
    check(5, 5, nesterov);
  }
}

TEST_CASE("muon's kernels leave a direction without length as it is") {
  const float from[2] = {0, 0};
  float to[2] = {1, 1};
  const double length = 0;
  on_card::map(2, optimizers::MuonUnit{1, 2, false, &length, from, to});
  CHECK(to[0] == 0);
  CHECK(to[1] == 0);
}
