// Throws in prepare.
// Caught by: same_again
// Words: prepare: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.weight("scale", {1}).init("ones");
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = call.parameter(0)[0] * x[i];
  }
  void backward(Context&, const LayerCall&) const {}
  void prepare(Context&, const LayerCall&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_prepare", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.throws_in_prepare_layer"));
