// Numbers of a row as shares of 1.
#include <plait/onednn_softmax.hpp>
#include <plait/softmax_rows.hpp>

#include <optional>

using namespace plait::sdk;

namespace layers {
namespace {

// Many rows in a call, as most are short.
PLAIT_FAST void softmax(const float* x, float* y, size_t rows, size_t count) {
  for (size_t r = 0; r < rows; ++r, x += count, y += count) {
    const float most = largest_of(x, count);
#pragma GCC ivdep  // y may be x
    for (size_t k = 0; k < count; ++k) y[k] = share_of(x[k] - most);
    const auto factor = static_cast<float>(1 / sum_of(y, count));
    for (size_t k = 0; k < count; ++k) y[k] *= factor;
  }
}

// dx = y (dy - sum of y dy)
PLAIT_FAST void softmax_gradient(const float* y, const float* dy, float* dx, size_t rows, size_t count) {
  for (size_t r = 0; r < rows; ++r, y += count, dy += count, dx += count) {
    const auto along = static_cast<float>(dot_of(y, dy, count));
#pragma GCC ivdep  // dx may be dy
    for (size_t k = 0; k < count; ++k) dx[k] = y[k] * (dy[k] - along);
  }
}

struct Softmax {
  static constexpr bool two_axes = true;
  std::string implementation = "auto";

  static void describe(Describe<Softmax>& d) {
    d.doc("e^x over the sum of e^x of all channels");
    d.details(
        "y[k] = e^x[k] / sum over j of e^x[j], over the last axis; the largest x is taken off before.\n"
        "Shapes: x [N, ..., C] f32, y alike. A loss that wants scores (softmax_cross_entropy) has its own.\n"
        "Source: Bridle 1990.");
    d.field("implementation", &Softmax::implementation)
        .doc("whose loops; auto: own, which pass NaN on")
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

struct Softmax::Kernel {
  std::optional<OneDnnSoftmax> onednn;

  Kernel(const Softmax& config, Context& c, const LayerRequest& r, LayerNeeds& n) {
    n.backward_reads(Reads::outputs);
    const KernelNotes notes(c);
    if (config.implementation == "auto") notes.chose("implementation", "own");
    if (config.implementation != "onednn") return;
    onednn.emplace(dnnl::algorithm::softmax_accurate, r, n);
    onednn->note(notes);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    const auto channels = static_cast<size_t>(call.input().shape(-1));
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(call.input().size() / channels, 1 + Context::kDefaultGrain / channels,
                   [&](size_t begin, size_t end) {
                     softmax(x + begin * channels, y + begin * channels, end - begin, channels);
                   });
  }
  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    if (!call.input_gradient()) return;
    const auto channels = static_cast<size_t>(call.output().shape(-1));
    const float *y = call.output().f32().data(), *dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(call.output().size() / channels, 1 + Context::kDefaultGrain / channels,
                   [&](size_t begin, size_t end) {
                     const size_t at = begin * channels;
                     softmax_gradient(y + at, dy + at, dx + at, end - begin, channels);
                   });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.softmax", "1.0.0", "Apache-2.0", layer<layers::Softmax>("plait.softmax"),
             numerics(&onednn_facts));
