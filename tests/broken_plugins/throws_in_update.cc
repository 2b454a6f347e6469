// Throws in update.
// Caught by: merges
// Words: update: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static constexpr MetricValue values[] = {{"sum", MetricValue::kLower, "sum of the predictions"}};
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor, Tensor, std::span<double>) const {
    throw std::runtime_error("no more paper");
  }
  void finish(std::span<const double> state, std::span<double> out) const { out[0] = state[0]; }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_update", "1.0.0", "Apache-2.0",
             metric<Broken>("broken.throws_in_update_metric"));
