// x above zero, a (e^x - 1) below.
#include <plait/functions.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void apply(const float* x, float* y, size_t count, float alpha) {
#pragma GCC ivdep  // y may be x
  for (size_t i = 0; i < count; ++i) y[i] = chosen(x[i] > 0, x[i], alpha * expm1_of(x[i]));
}

PLAIT_FAST void undo(const float* y, const float* dy, float* dx, size_t count, float alpha) {
#pragma GCC ivdep  // dx may be dy
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * chosen(y[i] > 0, 1.0f, y[i] + alpha);
}

struct Elu : OneDnnElementwise<Elu, ElementLoops<Elu>> {
  double alpha = 1;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Elu>& d) {
    d.doc("x above zero, alpha (e^x - 1) below");
    d.details(
        "y = x where x > 0, else alpha (e^x - 1).\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Clevert, Unterthiner, Hochreiter 2016, equation 15.");
    d.field("alpha", &Elu::alpha).doc("minus the least value").range(0, 100);
    describe_implementation(d, &Elu::implementation);
  }
  OneDnnFunction onednn() const {
    return {dnnl::algorithm::eltwise_elu, alpha, 0, dnnl::algorithm::eltwise_elu_use_dst_for_bwd};
  }

  void apply(const float* x, float* y, size_t count) const {
    layers::apply(x, y, count, static_cast<float>(alpha));
  }
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    layers::undo(y, dy, dx, count, static_cast<float>(alpha));
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.elu", "1.0.0", "Apache-2.0", layer<layers::Elu>("plait.elu"), numerics(&onednn_facts));
