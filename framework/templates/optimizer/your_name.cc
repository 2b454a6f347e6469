// An optimizer: steps of one size along the sign of the averaged gradient.
// Source: Bernstein, Wang, Azizzadenesheli, Anandkumar 2018, "signSGD".
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  double rate = 0.001, momentum = 0.9;
  static constexpr bool elementwise = true;

  static void describe(Describe<YourName>& d) {
    d.doc("w -= rate * sign(v), v = momentum v + (1 - momentum) g");
    d.field("rate", &YourName::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("momentum", &YourName::momentum).doc("memory of the average").at_least(0).below(1).runtime();
    d.slot("average");
  }

  void step(Context& c, const OptimizerCall& call) const {
    const auto size = static_cast<float>(rate), m = static_cast<float>(momentum);
    const Out w = call.weights, v = call.slot(0);
    c.parallel_for(call.count, [&](size_t i) {
      v[i] = m * v[i] + (1 - m) * call.gradients[i];
      w[i] -= size * static_cast<float>((v[i] > 0) - (v[i] < 0));
    });
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             optimizer<your_vendor::YourName>("your_vendor.your_name"));
