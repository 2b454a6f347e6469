// A state carried along axis 1 by two gates. Source: Cho et al. 2014, in the form of which the reset gate
// acts on the product.
#include <plait/onednn_recurrent.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct Gru : Recurrent {
  static void describe(Describe<Gru>& d) {
    d.doc("gated recurrent unit: carries a state along a sequence");
    d.details(
        "r, z = sigmoid(Wi x + bi + Wh h + bh), n = tanh(Wi x + bi + r (Wh h + bh)), h' = (1 - z) n + z h; "
        "the\n"
        "gates' rows are r, z, n, as PyTorch has them. The state begins as zeros.\n"
        "Shapes: x [N, W, C] f32, W may vary; y [N, W, units], 0 past a sample's length, or [N, units].\n"
        "Source: Cho et al. 2014.");
    describe_sequence(d);
  }
  static void ports(Ports& p) { ports_of(p, "rows of the gates r, z, n"); }
  void infer(LayerShapes& s) const { infer_sequence(s, OneDnnGru::kGates); }

  struct Kernel : OneDnnRecurrent<OneDnnGru> {
    Kernel(const Gru& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : OneDnnRecurrent(config, r, n) {}
  };
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.gru", "1.0.0", "Apache-2.0", layer<layers::Gru>("plait.gru"), numerics(&onednn_facts));
