// Batch normalisation over all axes but the channels.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

// Per channel in f64: sums over [rows, C] in row order, so that lanes do not matter.
PLAIT_FAST void add_moments(const float* x, size_t rows, size_t channels, double* sum, double* squares) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < channels; ++c) {
      const double value = x[r * channels + c];
      sum[c] += value;
      squares[c] += value * value;
    }
  }
}

PLAIT_FAST void add_products(const float* dy, const float* x, const float* mean, const float* inverse,
                             size_t rows, size_t channels, double* sum, double* products) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < channels; ++c) {
      const double g = dy[r * channels + c];
      sum[c] += g;
      products[c] += g * static_cast<double>((x[r * channels + c] - mean[c]) * inverse[c]);
    }
  }
}

// y = x a + b per channel.
PLAIT_FAST void scale_and_shift(const float* x, const float* a, const float* b, size_t rows, size_t channels,
                                float* y) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < channels; ++c) y[r * channels + c] = x[r * channels + c] * a[c] + b[c];
}

// dx = a dy + b x + c per channel.
PLAIT_FAST void mix(const float* dy, const float* x, const float* a, const float* b, const float* c0,
                    size_t rows, size_t channels, float* dx) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < channels; ++c) {
      const size_t i = r * channels + c;
      dx[i] = a[c] * dy[i] + b[c] * x[i] + c0[c];
    }
  }
}

struct BatchNorm {
  double momentum = 0.1, epsilon = 1e-5;
  bool affine = true;

  static void describe(Describe<BatchNorm>& d) {
    d.doc("each channel made to have mean 0 and deviation 1 over the batch, then scaled and shifted");
    d.details(
        "y = (x - mean) / sqrt(variance + epsilon) * scale + shift; mean and variance of the batch in "
        "training, running\n"
        "ones in evaluation. Kept as E[x] and E[x^2], so that the averages of shards keep the variance of "
        "their means;\n"
        "a shard normalises over its own samples.\n"
        "Shapes: x and y [..., C], f32; scale, shift, running_mean, running_square [C].\n"
        "Source: Ioffe, Szegedy 2015, algorithm 1.");
    d.field("momentum", &BatchNorm::momentum)
        .doc("share of the batch in the running statistics")
        .above(0)
        .at_most(1);
    d.field("epsilon", &BatchNorm::epsilon).doc("added to the variance").above(0).at_most(1);
    d.field("affine", &BatchNorm::affine).doc("whether to scale and shift afterwards");
  }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 || s.input().rank() < 2)
      s.fail("input is ", s.input(), ", wanted f32 of rank 2 or more");
    if (s.input().variable_axis() >= 0)
      s.fail("input has a variable extent, which this layer cannot leave out");
    const int64_t channels = s.input().shape(-1);
    s.output_like(0);
    if (affine) {
      s.weight("scale", {channels}).init("ones").no_decay();
      s.bias("shift", channels);
    }
    s.buffer("running_mean", {channels}).init("zeros").reduce(Reduce::mean64);
    s.buffer("running_square", {channels}).init("ones").reduce(Reduce::mean64);
    s.multiply_adds(static_cast<double>(s.input().size()));
  }

  // saved: mean [C], inverse deviation [C]; workspace: two sums in f64 [C], three coefficients [C].
  struct Kernel {
    Kernel(const BatchNorm& layer, Context&, const LayerRequest& r, LayerNeeds& n)
        : layer_(layer), channels_(static_cast<size_t>(r.input().shape(-1))) {
      rows_ = static_cast<size_t>(r.input().size()) / channels_;
      n.saved(2 * channels_ * sizeof(float));
      n.workspace(2 * channels_ * sizeof(double) + 3 * channels_ * sizeof(float));
      n.backward_reads(Reads::inputs);
    }

    void forward(Context&, const LayerCall& call) const {
      float* a = coefficients(call);
      float* b = a + channels_;
      if (call.training()) {
        float* mean = call.saved<float>();
        take_statistics(call, mean, mean + channels_);
        fold(call, mean, mean + channels_, a, b);
      } else {
        fold_running(call, a, b);
      }
      scale_and_shift(call.input().f32().data(), a, b, rows_, channels_, call.output().f32().data());
    }

    void backward(Context&, const LayerCall& call) const {
      const float *x = call.input().f32().data(), *dy = call.output_gradient().f32().data();
      const float *mean = call.saved<float>(), *inverse = mean + channels_;
      double *sum = call.workspace<double>(), *products = sum + channels_;
      std::fill_n(sum, 2 * channels_, 0.0);
      add_products(dy, x, mean, inverse, rows_, channels_, sum, products);
      if (layer_.affine) {
        for (size_t c = 0; c < channels_; ++c) {
          if (call.parameter_gradient(0)) call.parameter_gradient(0)[c] = static_cast<float>(products[c]);
          if (call.parameter_gradient(1)) call.parameter_gradient(1)[c] = static_cast<float>(sum[c]);
        }
      }
      if (call.input_gradient()) input_gradient(call, x, dy, mean, inverse, sum, products);
    }

   private:
    float* coefficients(const LayerCall& call) const {
      return reinterpret_cast<float*>(call.workspace<double>() + 2 * channels_);
    }
    double scale(const LayerCall& call, size_t c) const { return layer_.affine ? call.parameter(0)[c] : 1; }
    double shift(const LayerCall& call, size_t c) const { return layer_.affine ? call.parameter(1)[c] : 0; }

    void take_statistics(const LayerCall& call, float* mean, float* inverse) const {
      double *sum = call.workspace<double>(), *squares = sum + channels_;
      std::fill_n(sum, 2 * channels_, 0.0);
      add_moments(call.input().f32().data(), rows_, channels_, sum, squares);
      const auto count = static_cast<double>(rows_);
      for (size_t c = 0; c < channels_; ++c) {
        const double m = sum[c] / count, square = squares[c] / count;
        mean[c] = static_cast<float>(m);
        inverse[c] = static_cast<float>(1 / std::sqrt(std::max(square - m * m, 0.0) + layer_.epsilon));
        // The running variance is the unbiased one, as frameworks have it: E[x^2] is raised accordingly.
        const double unbiased = rows_ > 1 ? (square - m * m) * count / (count - 1) + m * m : square;
        update(call.buffer(0)[c], m);
        update(call.buffer(1)[c], unbiased);
      }
    }
    void update(float& running, double value) const {
      running =
          static_cast<float>((1 - layer_.momentum) * static_cast<double>(running) + layer_.momentum * value);
    }

    void fold(const LayerCall& call, const float* mean, const float* inverse, float* a, float* b) const {
      for (size_t c = 0; c < channels_; ++c) {
        const double factor = scale(call, c) * static_cast<double>(inverse[c]);
        a[c] = static_cast<float>(factor);
        b[c] = static_cast<float>(shift(call, c) - static_cast<double>(mean[c]) * factor);
      }
    }
    void fold_running(const LayerCall& call, float* a, float* b) const {
      for (size_t c = 0; c < channels_; ++c) {
        const double mean = call.buffer(0)[c], square = call.buffer(1)[c];
        const double factor =
            scale(call, c) / std::sqrt(std::max(square - mean * mean, 0.0) + layer_.epsilon);
        a[c] = static_cast<float>(factor);
        b[c] = static_cast<float>(shift(call, c) - mean * factor);
      }
    }

    // dx = scale inverse (dy - mean(dy) - xhat mean(dy xhat)), xhat = (x - mean) inverse.
    void input_gradient(const LayerCall& call, const float* x, const float* dy, const float* mean,
                        const float* inverse, const double* sum, const double* products) const {
      float *a = coefficients(call), *b = a + channels_, *c0 = b + channels_;
      const auto count = static_cast<double>(rows_);
      for (size_t c = 0; c < channels_; ++c) {
        const double inv = inverse[c], factor = scale(call, c) * inv,
                     slope = factor * products[c] / count * inv;
        a[c] = static_cast<float>(factor);
        b[c] = static_cast<float>(-slope);
        c0[c] = static_cast<float>(slope * static_cast<double>(mean[c]) - factor * sum[c] / count);
      }
      mix(dy, x, a, b, c0, rows_, channels_, call.input_gradient().f32().data());
    }

    const BatchNorm& layer_;
    size_t channels_, rows_ = 0;
  };
};

}  // namespace

PLAIT_PLUGIN("plait.batch_norm", "1.0.0", "Apache-2.0", layer<BatchNorm>("plait.batch_norm"));
