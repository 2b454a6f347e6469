// Every instance works with the extent of the one that was made last.
// Caught by: side_by_side
// Words: once other instances are made: they share a state
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static inline size_t width = 1;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32 || s.input().rank() < 2) s.fail("input is ", s.input());
    s.output_like(0);
  }
  struct Kernel {
    Kernel(const Broken&, Context&, const LayerRequest& r, LayerNeeds&) {
      width = static_cast<size_t>(r.input().shape(-1));
    }
    void forward(Context&, const LayerCall& call) const {
      const In x = call.input().f32();
      for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = x[i] * static_cast<float>(1 + i % width);
    }
    void backward(Context&, const LayerCall& call) const {
      if (!call.input_gradient()) return;
      const In dy = call.output_gradient().f32();
      for (size_t i = 0; i < dy.size(); ++i)
        call.input_gradient().f32()[i] = dy[i] * static_cast<float>(1 + i % width);
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.last_created", "1.0.0", "Apache-2.0", layer<Broken>("broken.last_created_layer"));
