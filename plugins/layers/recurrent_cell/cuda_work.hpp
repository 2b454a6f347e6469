// What a thread of recurrent_cell.cu does. Matrices are by rows; [rows] counts gates times units.
// Source: see recurrent_cell.cc.
#pragma once
#include <plait/cuda/divide.hpp>

#include <cmath>

namespace layers {

struct RecurrentSizes {
  uint64_t batch, steps, units, rows;
  bool gru;
  const int32_t* lengths;  // [batch]: steps that a sample has; null: all

  PLAIT_ANYWHERE bool has(uint64_t sample, uint64_t step) const {
    return !lengths || step < static_cast<uint64_t>(lengths[sample]);
  }
  PLAIT_ANYWHERE uint64_t at(uint64_t sample, uint64_t step) const { return sample * steps + step; }
};

PLAIT_ANYWHERE inline float recurrent_sigmoid(float x) { return 1 / (1 + expf(-x)); }

// One state from the one before.
struct RecurrentForward {
  RecurrentSizes s;
  const float* a;  // [batch, steps, rows]: Wi x + bi
  const float* w;  // [units, rows]: Wh, columns side by side
  const float* b;  // [rows]: bh
  float* y;        // [batch, steps, units]
  float* saved;    // gru in training: r, z, n, Wh h + bh of n, [batch, steps, 4, units]; or null

  // Row `row` of Wh h + bh. h: null for zeros.
  PLAIT_ANYWHERE float recurrent(const float* h, uint64_t row) const {
    float sum = b[row];
    for (uint64_t k = 0; h && k < s.units; ++k) sum += w[k * s.rows + row] * h[k];
    return sum;
  }
  // Unit i after step `step`, which all units of the step before know.
  PLAIT_ANYWHERE void unit(uint64_t sample, uint64_t step, uint64_t i) const {
    const uint64_t at = s.at(sample, step), u = s.units;
    if (!s.has(sample, step)) return void(y[at * u + i] = 0);
    const float* const h = step > 0 ? y + (at - 1) * u : nullptr;
    const float* const mine = a + at * s.rows;
    if (!s.gru) return void(y[at * u + i] = tanhf(mine[i] + recurrent(h, i)));
    const float r = recurrent_sigmoid(mine[i] + recurrent(h, i));
    const float z = recurrent_sigmoid(mine[u + i] + recurrent(h, u + i));
    const float q = recurrent(h, 2 * u + i), candidate = tanhf(mine[2 * u + i] + r * q);
    if (saved) {
      float* const to = saved + at * 4 * u + i;
      to[0] = r, to[u] = z, to[2 * u] = candidate, to[3 * u] = q;
    }
    y[at * u + i] = candidate + z * ((h ? h[i] : 0.0f) - candidate);
  }
};

// From the last state to the first.
struct RecurrentBackward {
  RecurrentSizes s;
  const float *y, *dy, *saved;
  const float* w;  // [rows, units]: Wh
  float *da,
      *db;    // [batch, steps, rows]: of Wi x + bi and of Wh h + bh; one and the same where there is no gru
  float* dh;  // [batch, units]

  // da and db of unit i; dh becomes what reaches the state before directly.
  PLAIT_ANYWHERE void gates(uint64_t sample, uint64_t step, uint64_t i) const {
    const uint64_t at = s.at(sample, step), u = s.units;
    float& mine = dh[sample * u + i];
    float *const a = da + at * s.rows + i, *const b = db + at * s.rows + i;
    if (!s.has(sample, step)) {
      for (uint64_t row = 0; row < s.rows; row += u) a[row] = b[row] = 0;
      mine = 0;
      return;
    }
    const float from = dy[at * u + i] + (step + 1 < s.steps ? mine : 0.0f);
    if (!s.gru) {
      const float now = y[at * u + i];
      *a = from * (1 - now * now);
      mine = 0;
      return;
    }
    const float* const kept = saved + at * 4 * u + i;
    const float r = kept[0], z = kept[u], candidate = kept[2 * u], q = kept[3 * u];
    const float before = step > 0 ? y[(at - 1) * u + i] : 0.0f;
    const float dn = from * (1 - z) * (1 - candidate * candidate);
    a[0] = b[0] = dn * q * r * (1 - r);
    a[u] = b[u] = from * (before - candidate) * z * (1 - z);
    a[2 * u] = dn, b[2 * u] = dn * r;
    mine = from * z;
  }
  // What reaches the state before through Wh; all of the step's gates are known.
  PLAIT_ANYWHERE void back(uint64_t sample, uint64_t step, uint64_t i) const {
    if (!s.has(sample, step)) return;
    const float* const from = db + s.at(sample, step) * s.rows;
    float sum = dh[sample * s.units + i];
    for (uint64_t row = 0; row < s.rows; ++row) sum += w[row * s.units + i] * from[row];
    dh[sample * s.units + i] = sum;
  }
};

// x [batch, steps, channels] with zeros past a sample's length, for gpu::map.
struct StepsThatAre {
  RecurrentSizes s;
  uint64_t channels;
  const float* x;
  float* to;
  PLAIT_ANYWHERE float load(uint64_t i) const {
    const auto at = plait::sdk::gpu::divide(plait::sdk::gpu::divide(i, channels).quotient, s.steps);
    return s.has(at.quotient, at.remainder) ? x[i] : 0.0f;
  }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const { to[i] = value; }
};

// The state before each step, [batch, steps, units], for gpu::map.
struct StatesBefore {
  RecurrentSizes s;
  const float* y;
  float* to;
  PLAIT_ANYWHERE float load(uint64_t i) const {
    const uint64_t at = plait::sdk::gpu::divide(i, s.units).quotient;
    return plait::sdk::gpu::divide(at, s.steps).remainder == 0 ? 0.0f : y[i - s.units];
  }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const { to[i] = value; }
};

// Columns side by side: [rows, columns] becomes [columns, rows], for gpu::map.
struct Transpose {
  uint64_t rows, columns;
  const float* from;
  float* to;
  PLAIT_ANYWHERE float load(uint64_t i) const {
    const auto at = plait::sdk::gpu::divide(i, rows);
    return from[at.remainder * columns + at.quotient];
  }
  PLAIT_ANYWHERE void store(uint64_t i, float value) const { to[i] = value; }
};

}  // namespace layers
