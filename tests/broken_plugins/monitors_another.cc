// Looks at the loss until it was called, and then at something else.
// Caught by: monitor
// Words: monitors "loss" once and "accuracy" once
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable std::atomic<bool> was_called = false;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  const char* monitor() const { return was_called ? "accuracy" : "loss"; }
  double value(const ScheduleCall& call) const {
    was_called = true;
    return call.base;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.monitors_another", "1.0.0", "Apache-2.0",
             schedule<Broken>("broken.monitors_another_schedule"));
