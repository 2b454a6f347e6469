// A state and a memory beside it, carried along axis 1. Source: Hochreiter, Schmidhuber 1997; Gers et al.
// 2000 (the forget gate).
#include <plait/onednn_recurrent.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct Lstm : Recurrent {
  static void describe(Describe<Lstm>& d) {
    d.doc("long short-term memory: carries a state and a memory along a sequence");
    d.details(
        "i, f, o = sigmoid(Wi x + bi + Wh h + bh), g = tanh(...), c' = f c + i g, h' = o tanh(c'); the "
        "gates' "
        "rows\n"
        "are i, f, g, o, as PyTorch has them. State and memory begin as zeros.\n"
        "Shapes: x [N, W, C] f32, W may vary; y [N, W, units], 0 past a sample's length, or [N, units].\n"
        "Source: Hochreiter, Schmidhuber 1997; Gers et al. 2000.");
    describe_sequence(d);
  }
  static void ports(Ports& p) { ports_of(p, "rows of the gates i, f, g, o"); }
  void infer(LayerShapes& s) const { infer_sequence(s, OneDnnLstm::kGates); }

  struct Kernel : OneDnnRecurrent<OneDnnLstm> {
    Kernel(const Lstm& config, Context&, const LayerRequest& r, LayerNeeds& n)
        : OneDnnRecurrent(config, r, n) {}
  };
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.lstm", "1.0.0", "Apache-2.0", layer<layers::Lstm>("plait.lstm"), numerics(&onednn_facts));
