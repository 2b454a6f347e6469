// ln(1 + e^(beta x)) / beta: a relu without a kink.
#include <plait/functions.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void apply(const float* x, float* y, size_t count, float beta) {
#pragma GCC ivdep  // y may be x
  for (size_t i = 0; i < count; ++i) y[i] = softplus_of(beta * x[i]) * (1.0f / beta);
}

PLAIT_FAST void undo(const float* y, const float* dy, float* dx, size_t count, float beta) {
#pragma GCC ivdep  // dx may be dy
  for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * -expm1_of(-beta * y[i]);
}

struct Softplus : OneDnnElementwise<Softplus, ElementLoops<Softplus>> {
  double beta = 1;
  Implementation implementation = Implementation::kAuto;

  static void describe(Describe<Softplus>& d) {
    d.doc("ln(1 + e^(beta x)) / beta, a relu without a kink");
    d.details(
        "y = ln(1 + e^(beta x)) / beta; its slope is 1 - e^(-beta y). Exact for every x: no threshold is "
        "needed.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Dugas, Bengio, Belisle, Nadeau, Garcia 2001.");
    d.field("beta", &Softplus::beta).doc("how sharp the bend is").range(0.01, 100);
    describe_implementation(d, &Softplus::implementation);
  }
  OneDnnFunction onednn() const { return {dnnl::algorithm::eltwise_soft_relu, beta}; }

  void apply(const float* x, float* y, size_t count) const {
    layers::apply(x, y, count, static_cast<float>(beta));
  }
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    layers::undo(y, dy, dx, count, static_cast<float>(beta));
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.softplus", "1.0.0", "Apache-2.0", layer<layers::Softplus>("plait.softplus"),
             numerics(&onednn_facts));
