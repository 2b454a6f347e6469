// x above zero, a trained slope times x below.
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <optional>

#include "onednn.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void apply(const float* x, const float* w, float* y, size_t channels) {
  for (size_t k = 0; k < channels; ++k) y[k] = x[k] > 0 ? x[k] : w[k] * x[k];
}
PLAIT_FAST void undo(const float* x, const float* w, const float* dy, float* dx, size_t channels) {
  for (size_t k = 0; k < channels; ++k) dx[k] = x[k] > 0 ? dy[k] : w[k] * dy[k];
}
PLAIT_FAST void add_slopes(const float* x, const float* dy, double* sums, size_t channels) {
  for (size_t k = 0; k < channels; ++k) sums[k] += x[k] > 0 ? 0.0 : static_cast<double>(x[k]) * dy[k];
}

struct Prelu {
  static constexpr bool two_axes = true;  // past the extents dy is 0, and adds nothing to the slopes
  double initial = 0.25;
  bool shared = false;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Prelu>& d) {
    d.doc("x above zero, a trained slope times x below");
    d.details(
        "y = x where x > 0, else w x.\n"
        "Shapes: x [N, ..., C] f32, y alike. Parameters: weight [C], or [1] where it is shared; no decay.\n"
        "Source: He, Zhang, Ren, Sun 2015, equations 1 and 2.");
    d.field("initial", &Prelu::initial).doc("the slopes at first").range(-1, 1);
    d.field("shared", &Prelu::shared).doc("one slope for all channels");
    describe_implementation(
        d, &Prelu::implementation,
        "whose loops; auto: own, which sum the slopes' gradient in f64, but for few channels");
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ..., C]");
    p.output("y", "as x");
    p.parameter("weight", "[C]").doc("slopes below zero");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ..., C]");
    if (x.varies(x.rank() - 1)) s.fail("the channels of the input vary, wanted a fixed number");
    s.output_like(0);
    s.weight("weight", {shared ? 1 : x.shape(-1)}).init("constant", initial).no_decay();
  }

  struct Kernel;
};

// README.md has the measurements: the own loops go along the channels, which are too few for a vector then.
bool onednn_wins(size_t channels) { return channels < 16; }

struct Prelu::Kernel {
  bool shared;
  size_t channels, rows;
  std::optional<PreluOneDnn> onednn;

  Kernel(const Prelu& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : shared(config.shared),
        channels(static_cast<size_t>(r.input().shape(-1))),
        rows(r.input().size() / std::max<size_t>(channels, 1)) {
    n.backward_reads(Reads::inputs);
    const KernelNotes notes(c);
    const bool is_open = config.implementation == Implementation::kAuto;
    const bool takes_onednn =
        is_open ? onednn_wins(channels) : config.implementation == Implementation::kOneDnn;
    if (is_open) notes.chose("implementation", takes_onednn ? "onednn" : "own");
    if (takes_onednn && r.input().size() > 0) {
      onednn.emplace(shared, r, n);
      onednn->note(notes);
      return;
    }
    n.workspace(Checked(pieces()) * channels * sizeof(double) + Checked(channels) * sizeof(float));
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    const float *x = call.input().f32().data(), *w = weights(call);
    float* y = call.output().f32().data();
    c.parallel_for(rows, grain(), [&](size_t r) { apply(x + r * channels, w, y + r * channels, channels); });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    const float *x = call.input().f32().data(), *dy = call.output_gradient().f32().data(), *w = weights(call);
    if (float* dw = call.parameter_gradient(0)) add_up(c, call, x, dy, dw);
    if (!call.input_gradient()) return;
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(rows, grain(), [&](size_t r) {
      const size_t at = r * channels;
      undo(x + at, w, dy + at, dx + at, channels);
    });
  }

 private:
  // As many pieces as 64, so that their sums take little memory; the sums do not depend on lanes.
  size_t grain() const {
    return std::max<size_t>(1 + Context::kDefaultGrain / (channels + 1), (rows + 63) / 64);
  }
  size_t pieces() const { return (rows + grain() - 1) / grain(); }

  // A slope for each channel.
  const float* weights(const LayerCall& call) const {
    if (!shared) return call.parameter(0);
    auto* all = reinterpret_cast<float*>(call.workspace<double>() + pieces() * channels);
    std::fill_n(all, channels, call.parameter(0)[0]);
    return all;
  }

  // Sums of pieces, in f64 and in their order.
  void add_up(Context& c, const LayerCall& call, const float* x, const float* dy, float* dw) const {
    auto* partial = call.workspace<double>();
    std::fill_n(partial, pieces() * channels, 0.0);
    c.parallel_for(rows, grain(), [&](size_t r) {
      add_slopes(x + r * channels, dy + r * channels, partial + r / grain() * channels, channels);
    });
    double all = 0;
    for (size_t k = 0; k < channels; ++k) {
      double sum = 0;
      for (size_t piece = 0; piece < pieces(); ++piece) sum += partial[piece * channels + k];
      if (!shared) dw[k] = static_cast<float>(sum);
      all += sum;
    }
    if (shared) dw[0] = static_cast<float>(all);
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.prelu", "1.0.0", "Apache-2.0", layer<layers::Prelu>("plait.prelu"),
             numerics(&onednn_facts));
