// A schedule: a field grows from 0 to its value in the file, then stays.
// Source: Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2.
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  double share = 0.1;

  static void describe(Describe<YourName>& d) {
    d.doc("grows evenly over the first part of the training");
    d.field("share", &YourName::share).doc("part of the steps that it grows over").above(0).at_most(1);
  }

  double value(const ScheduleCall& call) const {
    const double growing = share * static_cast<double>(call.total_steps);
    return call.base * std::min(1.0, static_cast<double>(call.step + 1) / std::max(growing, 1.0));
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             schedule<your_vendor::YourName>("your_vendor.your_name"));
