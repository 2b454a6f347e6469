// Says that it takes a range of its input, and does not look at the one that it is given.
// Caught by: int8
// Words: says takes_int8 of input 0, and nothing of it where it is made with a range: it computes in f32
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  struct Kernel {
    Kernel(const Broken&, Context&, const LayerRequest& r, LayerNeeds& n) {
      if (!r.int8_range()) n.takes_int8();
    }
    void forward(Context&, const LayerCall& call) const {
      const In x = call.input().f32();
      for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = 2 * x[i];
    }
    void backward(Context&, const LayerCall& call) const {
      const In dy = call.output_gradient().f32();
      if (!call.input_gradient()) return;
      for (size_t i = 0; i < dy.size(); ++i) call.input_gradient().f32()[i] = 2 * dy[i];
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.forgets_its_range", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.forgets_its_range_layer"));
