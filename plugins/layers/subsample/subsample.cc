// The trained sub-sampling of LeNet-5 (1998): sums of windows, times a weight of the map, plus its bias.
#include <plait/sdk/fast.hpp>
#include <plait/window.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void add(const float* from, float* to, size_t channels) {
  for (size_t k = 0; k < channels; ++k) to[k] += from[k];
}
// to = a w + b, b or to may be a
PLAIT_FAST void scale(const float* a, const float* w, const float* b, float* to, size_t channels) {
#pragma GCC ivdep
  for (size_t k = 0; k < channels; ++k) to[k] = a[k] * w[k] + b[k];
}
PLAIT_FAST void add_scaled(const float* a, const float* w, float* to, size_t channels) {
  for (size_t k = 0; k < channels; ++k) to[k] += a[k] * w[k];
}
PLAIT_FAST void add_sums(const float* sums, const float* dy, double* dw, double* db, size_t channels) {
  for (size_t k = 0; k < channels; ++k) {
    dw[k] += static_cast<double>(sums[k]) * dy[k];
    db[k] += dy[k];
  }
}

struct Subsample : Pooling {
  static void describe(Describe<Subsample>& d) {
    d.doc("sums of windows, times a trained weight of each channel, plus its bias");
    d.details(
        "y = w[c] (sum of x over the window) + b[c]; padding counts as 0. LeNet-5 of 1998 has it in its "
        "layers\n"
        "S2 and S4 with a kernel of 2, and a scaled_tanh after it.\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with extents\n"
        "floor((input + 2 padding - kernel) / stride) + 1. Parameters: weight [C], at first 1 over the "
        "places of\n"
        "a window, so that y is their mean; bias [C]; neither decays.\n"
        "Source: LeCun, Bottou, Bengio, Haffner 1998, section II.B.");
    describe_window(d);
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ..., C]");
    p.output("y", "[N, ..., C]").doc("smaller maps");
    p.parameter("weight", "[C]").doc("of the window's sum");
    p.parameter("bias", "[C]");
  }

  void infer(LayerShapes& s) const {
    Pooling::infer(s);
    const int64_t channels = s.input().shape(-1);
    const auto taps = static_cast<double>(window(s.input()).taps());
    s.weight("weight", {channels}).init("constant", 1 / taps).no_decay();
    s.bias("bias", channels);
  }

  struct Kernel;
};

struct Subsample::Kernel {
  WindowWalk walk;
  size_t batch;

  Kernel(const Subsample& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : walk(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
        batch(static_cast<size_t>(r.input().shape(0))) {
    n.backward_reads(Reads::nothing);
    n.accumulates();
    const Checked sums = Checked(batch) * walk.sample_outputs * sizeof(float);
    if (r.training()) n.saved(sums);
    n.workspace(Checked(batch) * walk.channels * 2 * sizeof(double));
  }

  void forward(Context& c, const LayerCall& call) const {
    const float *x = call.input().f32().data(), *w = call.parameter(0), *b = call.parameter(1);
    float* y = call.output().f32().data();
    c.parallel_for(batch, grain(), [&](size_t n) {
      const float* from = x + n * walk.sample_inputs;
      float* to = y + n * walk.sample_outputs;
      float* sums = call.training() ? call.saved<float>() + n * walk.sample_outputs : to;
      walk.each_window([&](const WindowAt& at) {
        float* const sum = sums + at.output;
        std::fill_n(sum, walk.channels, 0.0f);
        walk.each_tap_inside(
            at, [&](size_t tap) { add(from + at.origin + walk.offsets[tap], sum, walk.channels); });
        scale(sum, w, b, to + at.output, walk.channels);
      });
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (call.parameter_gradient(0) || call.parameter_gradient(1)) add_up(c, call);
    if (!call.input_gradient()) return;
    const float *dy = call.output_gradient().f32().data(), *w = call.parameter(0);
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch, grain(), [&](size_t n) {
      const float* from = dy + n * walk.sample_outputs;
      float* to = dx + n * walk.sample_inputs;
      if (!call.accumulate()) std::fill_n(to, walk.sample_inputs, 0.0f);
      walk.each_window([&](const WindowAt& at) {
        walk.each_tap_inside(at, [&](size_t tap) {
          add_scaled(from + at.output, w, to + at.origin + walk.offsets[tap], walk.channels);
        });
      });
    });
  }

 private:
  size_t grain() const { return 1 + Context::kDefaultGrain / (walk.sample_inputs + 1); }

  // Sums of samples in f64, then of the batch, in its order.
  void add_up(Context& c, const LayerCall& call) const {
    const float *dy = call.output_gradient().f32().data(), *sums = call.saved<float>();
    auto* partial = call.workspace<double>();
    const size_t channels = walk.channels;
    c.parallel_for(batch, grain(), [&](size_t n) {
      double* const to = partial + n * 2 * channels;
      std::fill_n(to, 2 * channels, 0.0);
      for (size_t o = n * walk.sample_outputs; o < (n + 1) * walk.sample_outputs; o += channels)
        add_sums(sums + o, dy + o, to, to + channels, channels);
    });
    for (size_t i = 0; i < 2; ++i) {
      float* const gradient = call.parameter_gradient(i);
      for (size_t k = 0; gradient && k < channels; ++k) {
        double sum = 0;
        for (size_t n = 0; n < batch; ++n) sum += partial[(2 * n + i) * channels + k];
        gradient[k] = static_cast<float>(sum);
      }
    }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.subsample", "1.0.0", "Apache-2.0", layer<layers::Subsample>("plait.subsample"));
