// Batch normalization. Source: Ioffe, Szegedy 2015, algorithms 1 and 2.
#include <plait/sdk.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <cmath>

namespace {

using namespace plait::sdk;

// sums [2, channels] += column sums of a and of a b over rows
PLAIT_FAST void add_sums(const float* a, const float* b, size_t rows, size_t channels, double* sums) {
  double* const products = sums + channels;
  for (size_t r = 0; r < rows; ++r, a += channels, b += channels) {
    for (size_t c = 0; c < channels; ++c) {
      const double value = a[c], other = b[c];
      sums[c] += value;
      products[c] += value * other;
    }
  }
}

// y = (x - mean) factor + bias, by channel: the difference first, which is small where the factor is large
PLAIT_FAST void normalize(const float* x, const float* mean, const float* factor, const float* bias,
                          size_t rows, size_t channels, float* y) {
  for (size_t r = 0; r < rows; ++r, x += channels, y += channels) {
    for (size_t c = 0; c < channels; ++c) y[c] = (x[c] - mean[c]) * factor[c] + bias[c];
  }
}

// dx = a (dy - dy0) + b (x - x0), by channel: differences first, as above
PLAIT_FAST void combine(const float* dy, const float* x, const float* a, const float* dy0, const float* b,
                        const float* x0, size_t rows, size_t channels, float* dx) {
  for (size_t r = 0; r < rows; ++r, dy += channels, x += channels, dx += channels) {
    for (size_t c = 0; c < channels; ++c) dx[c] = a[c] * (dy[c] - dy0[c]) + b[c] * (x[c] - x0[c]);
  }
}

struct BatchNorm {
  double momentum = 0.1, epsilon = 1e-5;

  static void describe(Describe<BatchNorm>& d) {
    d.doc("normalizes every channel over the batch, then scales and shifts it");
    d.details(
        "y = weight (x - mean) / sqrt(variance + epsilon) + bias.\n"
        "Shapes: x and y [N, ..., C] f32. Parameters: weight [C], bias [C]. Buffers: mean [C], mean_square "
        "[C].\n"
        "Source: Ioffe, Szegedy 2015.");
    d.field("momentum", &BatchNorm::momentum).doc("share of the batch in the running statistics").range(0, 1);
    d.field("epsilon", &BatchNorm::epsilon).doc("added to the variance").above(0);
  }
  static void examples(Examples& e) { e.add().couples_samples_in_training(); }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ..., C]");
    if (x.variable_axis() >= 0)
      s.fail("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    const int64_t channels = x.shape(-1);
    s.output_like(0);
    s.weight("weight", {channels}).init("ones").no_decay();
    s.bias("bias", channels);
    s.buffer("mean", {channels}).reduce(Reduce::mean64);
    s.buffer("mean_square", {channels}).init("ones").reduce(Reduce::mean64);
  }

  struct Kernel;
};

struct BatchNorm::Kernel {
  const BatchNorm& config;
  size_t channels, rows;

  Kernel(const BatchNorm& config_, Context&, const LayerRequest& r, LayerNeeds& n)
      : config(config_),
        channels(static_cast<size_t>(r.input().shape(-1))),
        rows(r.input().size() / std::max<size_t>(channels, 1)) {
    n.backward_reads(Reads::inputs);
    if (r.training()) n.saved(2 * channels * sizeof(float));  // mean, 1 / deviation
    n.workspace(pieces() * 2 * channels * sizeof(double) + 4 * channels * sizeof(float));
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float *factor = factors(call), *mean = factor + channels, *bias = mean + channels;
    if (call.training()) {
      const double* sums = sum(c, call, x, x);
      for (size_t k = 0; k < channels; ++k) learn(call, k, sums[k] / count(), sums[channels + k] / count());
    }
    for (size_t k = 0; k < channels; ++k) {
      const Statistics s = call.training() ? kept(call, k) : running(call, k);
      factor[k] = call.parameter(0)[k] * s.inverse_deviation;
      mean[k] = s.mean;
      bias[k] = call.parameter(1)[k];
    }
    float* y = call.output().f32().data();
    c.parallel_for(rows, grain(), [&](size_t begin, size_t end) {
      normalize(x + begin * channels, mean, factor, bias, end - begin, channels, y + begin * channels);
    });
  }

  // With z = (x - m) i: dbias = sum dy, dweight = sum dy z, dx = w i (dy - dbias / n - z dweight / n).
  void backward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    const float* dy = call.output_gradient().f32().data();
    float *a = factors(call), *b = a + channels, *dy0 = b + channels, *x0 = dy0 + channels;
    const double* sums = sum(c, call, dy, x);
    for (size_t k = 0; k < channels; ++k) {
      const Statistics s = kept(call, k);
      const double mean = s.mean, inverse = s.inverse_deviation;
      const double dbias = sums[k], dweight = (sums[channels + k] - mean * dbias) * inverse;
      if (float* dw = call.parameter_gradient(0)) dw[k] = static_cast<float>(dweight);
      if (float* db = call.parameter_gradient(1)) db[k] = static_cast<float>(dbias);
      const double scale = call.parameter(0)[k] * inverse, slope = scale * inverse * dweight / count();
      a[k] = static_cast<float>(scale);
      b[k] = static_cast<float>(-slope);
      dy0[k] = static_cast<float>(dbias / count());
      x0[k] = s.mean;
    }
    if (!call.input_gradient()) return;
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(rows, grain(), [&](size_t begin, size_t end) {
      const size_t at = begin * channels;
      combine(dy + at, x + at, a, dy0, b, x0, end - begin, channels, dx + at);
    });
  }

 private:
  struct Statistics {
    float mean, inverse_deviation;
  };

  double count() const { return static_cast<double>(rows); }
  size_t grain() const {
    return std::max<size_t>(1 + Context::kDefaultGrain / (channels + 1), (rows + 63) / 64);
  }
  size_t pieces() const { return (rows + grain() - 1) / grain(); }
  float* factors(const LayerCall& call) const {
    return reinterpret_cast<float*>(call.workspace<double>() + pieces() * 2 * channels);
  }

  // [2, channels]: column sums of a and of a b. Pieces are added in their order.
  const double* sum(Context& c, const LayerCall& call, const float* a, const float* b) const {
    auto* partial = call.workspace<double>();
    std::fill_n(partial, pieces() * 2 * channels, 0.0);
    c.parallel_for(rows, grain(), [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; r += grain()) {
        const size_t at = r * channels, n = std::min(grain(), end - r);
        add_sums(a + at, b + at, n, channels, partial + r / grain() * 2 * channels);
      }
    });
    for (size_t piece = 1; piece < pieces(); ++piece) {
      for (size_t k = 0; k < 2 * channels; ++k) partial[k] += partial[piece * 2 * channels + k];
    }
    return partial;
  }

  void learn(const LayerCall& call, size_t k, double mean, double mean_square) const {
    auto* saved = call.saved<float>();
    const double variance = std::max(mean_square - mean * mean, 0.0);
    saved[k] = static_cast<float>(mean);
    saved[channels + k] = static_cast<float>(1 / std::sqrt(variance + config.epsilon));
    const auto move = [&](float& running, double batch) {
      running = static_cast<float>((1 - config.momentum) * running + config.momentum * batch);
    };
    move(call.buffer(0)[k], mean);
    move(call.buffer(1)[k], mean_square);
  }
  Statistics kept(const LayerCall& call, size_t k) const {
    return {call.saved<float>()[k], call.saved<float>()[channels + k]};
  }
  Statistics running(const LayerCall& call, size_t k) const {
    const double mean = call.buffer(0)[k], variance = std::max(call.buffer(1)[k] - mean * mean, 0.0);
    return {static_cast<float>(mean), static_cast<float>(1 / std::sqrt(variance + config.epsilon))};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.batch_norm", "1.0.0", "Apache-2.0", layer<BatchNorm>("plait.batch_norm"));
