// Keeps the best validation in the instance, where a resumed run does not find it.
// Caught by: same_again
// Words: a value may depend on nothing but its call
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable std::atomic<double> best = 1e9;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  const char* monitor() const { return "loss"; }
  double value(const ScheduleCall& call) const {
    if (call.evaluations.empty()) return call.base;
    const double last = call.evaluations[call.evaluations.size() - 1].value;
    if (last < best) best = last;
    return last > best ? call.base / 2 : call.base;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.remembers_the_best", "1.0.0", "Apache-2.0",
             schedule<Broken>("broken.remembers_the_best_schedule"));
