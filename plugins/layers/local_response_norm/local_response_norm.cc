// Local response normalization across channels. Source: Krizhevsky, Sutskever, Hinton 2012, section 3.3.
#include <plait/onednn.hpp>
#include <plait/sdk.hpp>

#include <optional>

#include "onednn.hpp"
#include "own.hpp"

using namespace plait::sdk;

namespace local_response_norm {
namespace {

struct LocalResponseNorm {
  static constexpr bool two_axes = true;
  int64_t size = 5;
  double alpha = 5e-4, beta = 0.75, k = 2;
  std::string implementation = "auto";

  static void describe(Describe<LocalResponseNorm>& d) {
    d.doc("divides each number by a power of the squares of its place in the channels nearby");
    d.details(
        "y[c] = x[c] / (k + alpha / size (sum of x[j]^2 over the size channels j about c))^beta; channels "
        "that "
        "there are not count as 0.\n"
        "The defaults are those of the network of 2012, which writes alpha / size as alpha: 1e-4.\n"
        "Shapes: x and y [N, ..., C] f32, of which up to two axes between N and C may vary.\n"
        "Source: Krizhevsky, Sutskever, Hinton 2012, section 3.3.");
    d.field("size", &LocalResponseNorm::size)
        .doc("channels of a window, an odd number")
        .range(1, static_cast<double>(kMostSize));
    d.field("alpha", &LocalResponseNorm::alpha).doc("weight of the squares' mean").range(0, 1e6);
    d.field("beta", &LocalResponseNorm::beta).doc("the power").range(0, 4);
    d.field("k", &LocalResponseNorm::k).doc("added to the squares").range(1e-6, 1e6);
    d.field("implementation", &LocalResponseNorm::implementation)
        .doc("whose loops compute it; auto: oneDNN's for a beta of 0.75 and a size of 3 and more")
        .choices(kImplementations);
  }
  static void examples(Examples& e) {
    e.add().input(DType::f32, {2, 5, 4, 7});
    e.add("size: 3 alpha: 1 beta: 0.5 k: 1").input(DType::f32, {3, 300});
    e.add("implementation: \"onednn\" alpha: 1").input(DType::f32, {2, 4, 5, 32});
  }
  static void ports(Ports& p) {
    p.input("x", "[N, ..., C]");
    p.output("y", "as x");
  }
  void validate() const {
    if (size % 2 == 0) throw Error("size is ", size, ", wanted an odd number: as many channels on each side");
    if (implementation == "onednn" && !onednn_can())
      throw Error("implementation is \"onednn\", beta ", beta, " and size ", size, ", wanted beta ",
                  kOneDnnBeta,
                  " and a size of 3 or more: for others oneDNN has no loops of vectors, or fails");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ..., C]");
    for (const int axis : {0, x.rank() - 1})
      if (x.varies(axis)) s.fail("axis ", axis, " of input ", x, " varies, wanted axes of places");
    s.output_like(0);
  }

  static constexpr double kOneDnnBeta = 0.75;
  // Of a size of 1 oneDNN 3.2 ends the process while it makes the primitive.
  bool onednn_can() const { return beta == kOneDnnBeta && size >= 3; }
  struct Kernel;
};

struct LocalResponseNorm::Kernel {
  size_t rows;
  Window window;
  std::optional<OneDnn> onednn;

  Kernel(const LocalResponseNorm& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : window{static_cast<size_t>(r.input().shape(-1)), static_cast<size_t>(config.size) / 2,
               static_cast<float>(config.alpha / static_cast<double>(config.size)),
               static_cast<float>(config.beta), static_cast<float>(config.k)} {
    rows = window.channels == 0 ? 0 : r.input().size() / window.channels;
    n.backward_reads(Reads::inputs);
    const KernelNotes notes(c);
    if (config.implementation == "auto")
      notes.chose("implementation", config.onednn_can() ? "onednn" : "own");
    if (config.implementation == "own" || !config.onednn_can() || rows == 0) return;
    onednn.emplace(OneDnnShape{static_cast<int64_t>(rows), r.input().shape(-1), config.size, config.alpha,
                               config.beta, config.k, r.training()});
    n.workspace(onednn->workspace_bytes());
    n.saved(onednn->saved_bytes());
    onednn->note(notes);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(rows, grain(), [&](size_t begin, size_t end) {
      const size_t at = begin * window.channels;
      local_response_norm::forward(window, x + at, end - begin, y + at);
    });
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    if (onednn) return onednn->backward(call);
    const float *x = call.input().f32().data(), *dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(rows, grain(), [&](size_t begin, size_t end) {
      const size_t at = begin * window.channels;
      local_response_norm::backward(window, x + at, dy + at, end - begin, dx + at);
    });
  }

 private:
  size_t grain() const { return 1 + Context::kDefaultGrain / (window.channels + 1); }
};

}  // namespace
}  // namespace local_response_norm

PLAIT_PLUGIN("plait.local_response_norm", "1.0.0", "Apache-2.0",
             layer<local_response_norm::LocalResponseNorm>("plait.local_response_norm"),
             numerics(&onednn_facts));
