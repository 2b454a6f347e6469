// Names its values by the last letter of the classes, of which two may be the same.
// Caught by: values
// Words: two values are called
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void name_values(MetricValues& v) const {
    for (const std::string& name : v.class_names(static_cast<size_t>(v.prediction().shape(-1))))
      v.value(name.substr(name.size() - 1), MetricValue::kHigher, "largest prediction");
    v.value("a", MetricValue::kHigher, "of all");
  }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    state[0] += static_cast<double>(prediction.size());
  }
  void finish(std::span<const double>, std::span<double> answer) const {
    for (double& one : answer) one = 0;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.names_classes_alike", "1.0.0", "Apache-2.0",
             metric<Broken>("broken.names_classes_alike_metric"));
