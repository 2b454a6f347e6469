// A layer that declares no output, whatever it is given: no host can run it.
// Caught by: can_be_tried
// Words: nothing of it could be tried: .*output
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes&) const {}
  void forward(Context&, const LayerCall&) const {}
  void backward(Context&, const LayerCall&) const {}
};

}  // namespace

PLAIT_PLUGIN("broken.declares_nothing", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.declares_nothing_layer"));
