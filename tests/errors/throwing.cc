// Layers that throw where they are told to: for the tests of what a person then sees.
#include <cmath>
#include <limits>
#include <plait/sdk.hpp>
#include <stdexcept>

using namespace plait::sdk;

namespace {

struct Throwing {
  std::string where = "nowhere";
  int64_t after = 0;
  static void describe(Describe<Throwing>& d) {
    d.doc("y = x, until it throws");
    d.field("where", &Throwing::where)
        .doc("place")
        .choices({"nowhere", "create", "forward", "backward", "nan"});
    d.field("after", &Throwing::after).doc("steps that go well").at_least(0);
  }
  void validate() const {
    if (where == "create") throw std::runtime_error("the spring is broken");
  }
  void infer(LayerShapes& s) const { s.output_like(0); }
  void forward(Context&, const LayerCall& call) const {
    if (where == "forward" && call.step() >= after) throw std::runtime_error("no water in the well");
    const auto x = call.input(0).data<const float>();
    const auto y = call.output(0).data<float>();
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i];
    if (where == "nan" && call.step() >= after) y[0] = std::numeric_limits<float>::quiet_NaN();
  }
  void backward(Context&, const LayerCall& call) const {
    if (where == "backward" && call.step() >= after) throw 42;
    const auto dy = call.output_gradient(0).data<const float>();
    if (!call.input_gradient(0)) return;
    const auto dx = call.input_gradient(0).data<float>();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("test.throwing", "1.0.0", "Apache-2.0", layer<Throwing>("test.throwing"));
