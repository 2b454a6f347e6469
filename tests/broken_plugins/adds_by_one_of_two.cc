// Says that it adds to gradients with one choice of its field alone, and overwrites them nevertheless.
// Caught by: accumulates
// Words: way: "two".*with accumulate the gradient of input 0, element 0
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  std::string way = "one";

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("way", &Broken::way).doc("of two").choices({"one", "two"});
  }
  void infer(LayerShapes& s) const { s.output_like(0); }

  struct Kernel {
    Kernel(const Broken& config, Context&, const LayerRequest&, LayerNeeds& n) {
      if (config.way == "two") n.accumulates();
    }
    void forward(Context&, const LayerCall& call) const {
      const In x = call.input().f32();
      const Out y = call.output().f32();
      for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
    }
    void backward(Context&, const LayerCall& call) const {
      const In dy = call.output_gradient().f32();
      if (!call.input_gradient()) return;
      const Out dx = call.input_gradient().f32();
      for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.adds_by_one_of_two", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.adds_by_one_of_two_layer"));
