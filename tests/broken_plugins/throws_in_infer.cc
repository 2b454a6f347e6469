// Throws in infer.
// Caught by: creates
// Words: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes&) const { throw std::runtime_error("no more paper"); }
  void forward(Context&, const LayerCall&) const {}
  void backward(Context&, const LayerCall&) const {}
  static void examples(Examples& e) { e.add().input(DType::f32, {2, 3}); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_infer", "1.0.0", "Apache-2.0", layer<Broken>("broken.throws_in_infer_layer"));
