// Mean of absolute differences, or of absolute values.
#include <plait/element_loss.hpp>
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct L1 : ElementLoss<L1> {
  static constexpr Count targets = {0, 1};

  static void describe(Describe<L1>& d) {
    d.doc("mean of |prediction - target|; without a target of |prediction|, a penalty");
    d.details(
        "Shapes: prediction [N, ...] f32; target [N, ...] f32, u8, i32 or i64 with as many elements per "
        "sample. Elements past a sample's\n"
        "length count for nothing. Weights of samples: each element weighs as its sample; the mean is over "
        "the sum of weights.\n"
        "Gradient of the mean: sign(prediction - target) / count; 0 where they are equal.");
  }
  ElementValue at(double x, double t) const {
    const double d = x - t;
    return {std::abs(d), d > 0 ? 1.0 : d < 0 ? -1.0 : d};  // NaN stays
  }
};

}  // namespace

PLAIT_PLUGIN("plait.l1", "1.0.0", "Apache-2.0", loss<L1>("plait.l1"));
