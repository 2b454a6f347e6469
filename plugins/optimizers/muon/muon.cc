// Momentum orthogonalised by the Newton-Schulz iteration.
#include "muon.h"

#include <algorithm>
#include <array>
#include <cmath>

using namespace plait::sdk;

namespace optimizers {
namespace {

constexpr size_t kGrain = 16384;     // elements in a piece of work
constexpr uint64_t kRowsAtOnce = 4;  // rows of a product in a piece of work

// In lanes, so that the loops are vectorised and their order is the same everywhere.
PLAIT_FAST float dot(const float* x, const float* y, size_t count) {
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * y[i + lane];
  for (; i < count; ++i) sums[i % kLanes] += x[i] * y[i];
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

PLAIT_FAST double sum_of_squares(const float* x, size_t count) {
  constexpr size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += static_cast<double>(x[i + lane]) * static_cast<double>(x[i + lane]);
  for (; i < count; ++i) sums[i % kLanes] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double sum = 0;
  for (const double lane : sums) sum += lane;
  return sum;
}

// to += sum_k factors[k] rows[k], rows of `wide` elements, four at a time.
PLAIT_FAST void add_rows(float* to, const float* factors, const float* rows, size_t count, size_t wide) {
  size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    const float *r0 = rows + k * wide, *r1 = r0 + wide, *r2 = r1 + wide, *r3 = r2 + wide;
    const float f0 = factors[k], f1 = factors[k + 1], f2 = factors[k + 2], f3 = factors[k + 3];
    for (size_t j = 0; j < wide; ++j) to[j] += (f0 * r0[j] + f1 * r1[j]) + (f2 * r2[j] + f3 * r3[j]);
  }
  for (; k < count; ++k)
    for (size_t j = 0; j < wide; ++j) to[j] += factors[k] * rows[k * wide + j];
}

PLAIT_FAST void mix(float* x, const float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] = kA * x[i] + kB * y[i];
}

PLAIT_FAST void take_momentum(const float* g, float* v, size_t count, float momentum) {
  for (size_t i = 0; i < count; ++i) v[i] = momentum * v[i] + g[i];
}

// What v, or Nesterov's g + momentum v, is.
PLAIT_FAST void direction(const float* g, const float* v, float* d, size_t count, float ahead) {
  for (size_t i = 0; i < count; ++i) d[i] = ahead == 0 ? v[i] : g[i] + ahead * v[i];
}

PLAIT_FAST void move(float* w, const float* d, size_t count, float rate, float keep) {
  for (size_t i = 0; i < count; ++i) w[i] = keep * w[i] - rate * d[i];
}

// A matrix of few rows and as many columns at least, and room to compute with it: y of its size, a of
// [rows, rows].
struct Matrix {
  size_t rows, columns;
  float *x, *y, *a;
};

// x = U S V^T becomes about U V^T.
void orthogonalise(Context& c, const Matrix& m, int64_t iterations) {
  const size_t rows = m.rows, columns = m.columns;
  for (int64_t i = 0; i < iterations; ++i) {
    c.parallel_for(rows, kRowsAtOnce, [&](uint64_t begin, uint64_t end) {  // a = x x^T
      for (size_t r = begin; r < end; ++r)
        for (size_t s = 0; s < rows; ++s)
          m.a[r * rows + s] = dot(m.x + r * columns, m.x + s * columns, columns);
    });
    c.parallel_for(rows, kRowsAtOnce, [&](uint64_t begin, uint64_t end) {  // y = a x
      for (size_t r = begin; r < end; ++r) {
        std::fill_n(m.y + r * columns, columns, 0.0f);
        add_rows(m.y + r * columns, m.a + r * rows, m.x, rows, columns);
      }
    });
    for (size_t k = 0; k < rows * rows; ++k) m.a[k] *= kC;
    c.parallel_for(rows, kRowsAtOnce, [&](uint64_t begin, uint64_t end) {  // x = A x + B a x + C a a x
      for (size_t r = begin; r < end; ++r) {
        mix(m.x + r * columns, m.y + r * columns, columns);
        add_rows(m.x + r * columns, m.a + r * rows, m.y, rows, columns);
      }
    });
  }
}

void transpose(const float* from, float* to, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t k = 0; k < columns; ++k) to[k * rows + r] = from[r * columns + k];
}

struct MuonOnHost : Muon {
  void step(Context& c, const OptimizerCall& call) const {
    float* const x = call.slot(1).data();
    const bool is_matrix = takes_as_matrix(call);
    double scaled = is_matrix ? rate : rate * rest;
    const double keep = 1 - (call.decay() ? scaled * weight_decay : 0);
    c.parallel_for(call.count, kGrain, [&](uint64_t begin, uint64_t end) {
      float* v = call.slot(0).data() + begin;
      const float* g = call.gradients.data() + begin;
      take_momentum(g, v, end - begin, static_cast<float>(momentum));
      direction(g, v, x + begin, end - begin, static_cast<float>(nesterov ? momentum : 0));
    });
    const float* d = x;
    if (is_matrix) {
      const auto rows = static_cast<size_t>(call.shape[0]);
      const size_t columns = call.count / rows;
      d = orthogonal(c, call, rows, columns);
      scaled *= std::sqrt(std::max(1.0, static_cast<double>(rows) / static_cast<double>(columns)));
    }
    c.parallel_for(call.count, kGrain, [&](uint64_t begin, uint64_t end) {
      move(call.weights.data() + begin, d + begin, end - begin, static_cast<float>(scaled),
           static_cast<float>(keep));
    });
  }

 private:
  // Of the direction in slot 1; in slot 1 or 2.
  const float* orthogonal(Context& c, const OptimizerCall& call, size_t rows, size_t columns) const {
    float *x = call.slot(1).data(), *y = call.slot(2).data();
    const double length = std::sqrt(sum_of_squares(x, call.count));
    if (length == 0) return x;
    for (size_t i = 0; i < call.count; ++i) x[i] = static_cast<float>(x[i] / length);
    const bool is_tall = rows > columns;
    if (is_tall) {
      transpose(x, y, rows, columns);
      std::swap(x, y);
      std::swap(rows, columns);
    }
    orthogonalise(c, {rows, columns, x, y, call.slot(3).data()}, iterations);
    if (!is_tall) return x;
    transpose(x, y, rows, columns);
    return y;
  }
};

}  // namespace
}  // namespace optimizers

PLAIT_PLUGIN("plait.muon", "1.0.0", "Apache-2.0", optimizer<optimizers::MuonOnHost>("plait.muon"));
