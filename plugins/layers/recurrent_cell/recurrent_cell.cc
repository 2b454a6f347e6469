// A recurrent cell along axis 1. Source: Elman 1990; Cho et al. 2014 (gated recurrent unit).
#include "recurrent_cell.h"

#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace layers {
namespace {

// y [rows] = w [rows, columns] x + start
PLAIT_FAST void multiply(const float* w, const float* x, const float* start, size_t rows, size_t columns,
                         float* y) {
  for (size_t r = 0; r < rows; ++r, w += columns) {
    float lanes[16] = {};
    size_t c = 0;
    for (; c + 16 <= columns; c += 16) {
      for (size_t i = 0; i < 16; ++i) lanes[i] += w[c + i] * x[c + i];
    }
    float sum = start[r];
    for (; c < columns; ++c) sum += w[c] * x[c];
    for (const float lane : lanes) sum += lane;
    y[r] = sum;
  }
}

// x [columns] += w^T dy
PLAIT_FAST void add_transposed(const float* w, const float* dy, size_t rows, size_t columns, float* x) {
  for (size_t r = 0; r < rows; ++r, w += columns) {
    const float factor = dy[r];
    for (size_t c = 0; c < columns; ++c) x[c] += factor * w[c];
  }
}

// dw [rows, columns] += dy x^T
PLAIT_FAST void add_outer(const float* dy, const float* x, size_t rows, size_t columns, float* dw) {
  for (size_t r = 0; r < rows; ++r, dw += columns) {
    const float factor = dy[r];
    for (size_t c = 0; c < columns; ++c) dw[c] += factor * x[c];
  }
}

PLAIT_FAST void add_to(const float* from, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i) to[i] += from[i];
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

struct RecurrentCell::Kernel {
  bool gru;
  size_t batch, steps, channels, units, rows;

  Kernel(const RecurrentCell& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : gru(config.cell == Cell::kGru),
        batch(static_cast<size_t>(r.input().shape(0))),
        steps(static_cast<size_t>(r.input().shape(1))),
        channels(static_cast<size_t>(r.input().shape(2))),
        units(static_cast<size_t>(config.units)),
        rows(static_cast<size_t>(config.gates()) * units) {
    if (r.training()) n.saved(Checked(batch) * steps * kept() * sizeof(float));
    n.workspace(Checked(pieces()) * scratch() * sizeof(float));
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(batch, grain(), [&](size_t begin, size_t end) {
      for (size_t n = begin; n < end; ++n) {
        float* const mine = call.workspace<float>() + n / grain() * scratch();
        float* const zeros = mine + 2 * rows;
        std::fill_n(zeros, units, 0.0f);
        const auto length = static_cast<size_t>(call.input().length(n));
        for (size_t t = 0; t < length; ++t) {
          const size_t at = n * steps + t;
          float* const saved = call.training() ? call.saved<float>() + at * kept() : nullptr;
          step(call, x + at * channels, t ? y + (at - 1) * units : zeros, mine, saved, y + at * units);
        }
        std::fill_n(y + (n * steps + length) * units, (steps - length) * units, 0.0f);
      }
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    c.parallel_for(batch, grain(), [&](size_t begin, size_t end) {
      for (size_t n = begin; n < end; ++n) {
        float* const mine = call.workspace<float>() + n / grain() * scratch();
        if (n % grain() == 0) std::fill_n(mine + working(), gradients(), 0.0f);
        backward_sample(call, n, mine, mine + working());
      }
    });
    const size_t counts[] = {rows * channels, rows * units, rows, rows};
    size_t at = working();
    for (size_t p = 0; p < 4; at += counts[p++]) {
      float* const to = call.parameter_gradient(p);
      if (!to) continue;
      std::fill_n(to, counts[p], 0.0f);
      for (size_t piece = 0; piece < pieces(); ++piece) {
        add_to(call.workspace<float>() + piece * scratch() + at, counts[p], to);
      }
    }
  }

 private:
  static constexpr size_t kPieces = 8;
  size_t grain() const { return std::max<size_t>(1, (batch + kPieces - 1) / kPieces); }
  size_t pieces() const { return (batch + grain() - 1) / grain(); }
  size_t kept() const { return gru ? 4 * units : 0; }  // r, z, n, Wh h + bh of n
  size_t working() const { return 2 * rows + 2 * units; }
  size_t gradients() const { return Checked(rows) * (channels + units + 2); }
  size_t scratch() const { return (working() + gradients() + 15) / 16 * 16; }

  // One state from the one before.
  void step(const LayerCall& call, const float* x, const float* h, float* mine, float* saved,
            float* y) const {
    float *a = mine, *b = mine + rows;
    multiply(call.parameter(0), x, call.parameter(2), rows, channels, a);
    multiply(call.parameter(1), h, call.parameter(3), rows, units, b);
    for (size_t i = 0; i < units; ++i) {
      if (!gru) {
        y[i] = std::tanh(a[i] + b[i]);
        continue;
      }
      const float r = sigmoid(a[i] + b[i]), z = sigmoid(a[units + i] + b[units + i]), q = b[2 * units + i];
      const float candidate = std::tanh(a[2 * units + i] + r * q);
      if (saved)
        saved[i] = r, saved[units + i] = z, saved[2 * units + i] = candidate, saved[3 * units + i] = q;
      y[i] = candidate + z * (h[i] - candidate);
    }
  }

  // From the last state to the first. sums: gradients of the four parameters, one after the other.
  void backward_sample(const LayerCall& call, size_t n, float* mine, float* sums) const {
    float *da = mine, *db = mine + rows, *dh = mine + 2 * rows, *zeros = dh + units;
    std::fill_n(dh, 2 * units, 0.0f);
    const float *x = call.input().f32().data(), *y = call.output().f32().data();
    float* dx = call.input_gradient() ? call.input_gradient().f32().data() : nullptr;
    const auto length = static_cast<size_t>(call.input().length(n));
    if (dx) std::fill_n(dx + n * steps * channels, steps * channels, 0.0f);
    float *dwi = sums, *dwh = dwi + rows * channels, *dbi = dwh + rows * units, *dbh = dbi + rows;
    for (size_t t = length; t-- > 0;) {
      const size_t at = n * steps + t;
      const float* before = t ? y + (at - 1) * units : zeros;
      add_to(call.output_gradient().f32().data() + at * units, units, dh);
      gate_gradients(call, at, before, y + at * units, da, db, dh);
      add_outer(da, x + at * channels, rows, channels, dwi);
      add_outer(db, before, rows, units, dwh);
      add_to(da, rows, dbi);
      add_to(db, rows, dbh);
      if (dx) add_transposed(call.parameter(0), da, rows, channels, dx + at * channels);
      add_transposed(call.parameter(1), db, rows, units, dh);
    }
  }

  // da, db: of Wi x + bi and of Wh h + bh. dh becomes what reaches the state before directly.
  void gate_gradients(const LayerCall& call, size_t at, const float* before, const float* y, float* da,
                      float* db, float* dh) const {
    for (size_t i = 0; i < units; ++i) {
      if (!gru) {
        da[i] = db[i] = dh[i] * (1 - y[i] * y[i]);
        dh[i] = 0;
        continue;
      }
      const float* saved = call.saved<float>() + at * kept() + i;
      const float r = saved[0], z = saved[units], candidate = saved[2 * units], q = saved[3 * units];
      const float dn = dh[i] * (1 - z) * (1 - candidate * candidate);
      da[i] = db[i] = dn * q * r * (1 - r);
      da[units + i] = db[units + i] = dh[i] * (before[i] - candidate) * z * (1 - z);
      da[2 * units + i] = dn;
      db[2 * units + i] = dn * r;
      dh[i] *= z;
    }
  }
};

}  // namespace layers

PLAIT_PLUGIN("plait.recurrent_cell", "1.0.0", "Apache-2.0",
             layer<layers::RecurrentCell>("plait.recurrent_cell"));
