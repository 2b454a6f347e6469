// Logarithms of the numbers of a row as shares of 1.
#include <plait/onednn_softmax.hpp>
#include <plait/softmax_rows.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

using namespace plait::sdk;

namespace layers {
namespace {

// e^(x - most) of so many at a time, which are then summed in f64
constexpr size_t kBlock = 64;

PLAIT_FAST float largest(const float* x, size_t count) { return largest_of(x, count); }
PLAIT_FAST double sum_of_shares(const float* x, float most, size_t count) {
  float block[kBlock];
  double sum = 0;
  for (size_t at = 0; at < count; at += kBlock) {
    const size_t n = count - at < kBlock ? count - at : kBlock;
    for (size_t k = 0; k < n; ++k) block[k] = share_of(x[at + k] - most);
    sum += sum_of(block, n);
  }
  return sum;
}
// x - logarithm in f64: one rounding of the logarithm, which all outputs share, would be seen in their sum
PLAIT_FAST void take_off(const float* x, double logarithm, float* y, size_t count) {
#pragma GCC ivdep  // y may be x
  for (size_t k = 0; k < count; ++k) y[k] = static_cast<float>(x[k] - logarithm);
}
// dx = dy - e^y sum
PLAIT_FAST void spread(const float* y, const float* dy, float sum, float* dx, size_t count) {
#pragma GCC ivdep  // dx may be dy
  for (size_t k = 0; k < count; ++k) dx[k] = dy[k] - exp_of(y[k]) * sum;
}

PLAIT_FAST double add_up(const float* x, size_t count) { return sum_of(x, count); }

void log_softmax(const float* x, float* y, size_t count) {
  const float most = largest(x, count);
  take_off(x, most + std::log(sum_of_shares(x, most, count)), y, count);
}

void log_softmax_gradient(const float* y, const float* dy, float* dx, size_t count) {
  spread(y, dy, static_cast<float>(add_up(dy, count)), dx, count);
}

struct LogSoftmax {
  static constexpr bool two_axes = true;
  std::string implementation = "auto";

  static void describe(Describe<LogSoftmax>& d) {
    d.doc("x less the logarithm of the sum of e^x of all channels");
    d.details(
        "y[k] = x[k] - ln(sum over j of e^x[j]), over the last axis; the largest x is taken off before.\n"
        "Shapes: x [N, ..., C] f32, y alike. A loss that wants scores (softmax_cross_entropy) has its own.\n"
        "Source: Bridle 1990.");
    d.field("implementation", &LogSoftmax::implementation)
        .doc("whose loops; auto: own, which are closer")
        .choices({"auto", "onednn", "own"});
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 2 || x.shape(-1) < 1)
      s.fail("input is ", x, ", wanted f32 [N, ..., C] of a channel or more");
    if (x.varies(x.rank() - 1)) s.fail("the channels of the input vary, wanted a fixed number");
    s.output_like(0);
    s.in_place();
  }

  struct Kernel;
};

struct LogSoftmax::Kernel {
  std::optional<OneDnnSoftmax> onednn;

  Kernel(const LogSoftmax& config, Context& c, const LayerRequest& r, LayerNeeds& n) {
    n.backward_reads(Reads::outputs);
    const KernelNotes notes(c);
    if (config.implementation == "auto") notes.chose("implementation", "own");
    if (config.implementation != "onednn") return;
    onednn.emplace(dnnl::algorithm::softmax_log, r, n);
    onednn->note(notes);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    const auto channels = static_cast<size_t>(call.input().shape(-1));
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(call.input().size() / channels, 1 + Context::kDefaultGrain / channels,
                   [&](size_t r) { log_softmax(x + r * channels, y + r * channels, channels); });
  }
  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    if (!call.input_gradient()) return;
    const auto channels = static_cast<size_t>(call.output().shape(-1));
    const float *y = call.output().f32().data(), *dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(call.output().size() / channels, 1 + Context::kDefaultGrain / channels, [&](size_t r) {
      const size_t at = r * channels;
      log_softmax_gradient(y + at, dy + at, dx + at, channels);
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.log_softmax", "1.0.0", "Apache-2.0", layer<layers::LogSoftmax>("plait.log_softmax"),
             numerics(&onednn_facts));
