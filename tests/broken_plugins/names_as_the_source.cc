// Names its values as the source names its classes, which no report can show.
// Caught by: values
// Words: has more than letters, digits
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void name_values(MetricValues& v) const {
    v.value(v.classes() > 1 ? "of T-shirt/top" : "of_all", MetricValue::kHigher, "predictions");
  }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    state[0] += static_cast<double>(prediction.size());
  }
  void finish(std::span<const double>, std::span<double> answer) const { answer[0] = 0; }
};

}  // namespace

PLAIT_PLUGIN("broken.names_as_the_source", "1.0.0", "Apache-2.0",
             metric<Broken>("broken.names_as_the_source_metric"));
