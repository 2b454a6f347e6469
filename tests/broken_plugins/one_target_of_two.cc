// Wants two targets, and tells of one.
// Caught by: ports
// Words: has 2 targets, and tells of 1 \(first\)
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Count targets = 2;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void ports(Ports& p) { p.target("first", "[N, ...]"); }
  void check(const LossShapes& s) const {
    for (size_t i = 0; i < 2; ++i)
      if (s.target(i).dtype() != DType::f32 || s.target(i).size() != s.prediction().size())
        s.fail("wanted f32 of one size");
  }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target(0).f32(), u = call.target(1).f32();
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const double a = double{p[i]} - t[i], b = double{p[i]} - u[i];
      sum += a * a + b * b;
      if (call.gradient())
        call.gradient().f32()[i] =
            static_cast<float>(2 * (a + b) * call.gradient_scale() / static_cast<double>(p.size()));
    }
    call.set_result(sum, static_cast<double>(p.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.one_target_of_two", "1.0.0", "Apache-2.0",
             loss<Broken>("broken.one_target_of_two_loss"));
