// A warm-up in front of another schedule.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace plait::sdk;

namespace {

struct WarmUp {
  double epochs = 1, start = 0;
  Child<Schedule> then;

  static void describe(Describe<WarmUp>& d) {
    d.doc("rises along a line to the base, and goes on as another schedule does");
    d.details(
        "W = epochs in whole steps; base (start + (1 - start) (s + 1) / W) at step s < W, so that its last "
        "step has the base.\n"
        "From there on the value of `then`, for which training begins at step W: it knows neither the steps "
        "nor the validations\n"
        "before. Without it the base.\n"
        "Source: Goyal et al. 2017, Accurate, Large Minibatch SGD, section 2.2.");
    d.field("epochs", &WarmUp::epochs).doc("length of the warm-up").unit("epochs").range(0, 1e9);
    d.field("start", &WarmUp::start).doc("value that it begins with, as a share of the base").range(0, 1);
    d.field("then", &WarmUp::then).doc("the schedule after it");
  }

  // Only a schedule of its own is asked whether training ends.
  void validate() const {
    const auto* const ops = then ? static_cast<const plait_schedule_ops*>(then.c()->ops) : nullptr;
    if (ops != nullptr && PLAIT_HAS(ops, stop))
      throw Error("then: ", then.id(),
                  " may end training, wanted a schedule that does not: it has a block of its own");
  }

  double value(Context& c, const ScheduleCall& call) const {
    const int64_t warm = steps(call);
    if (call.step < warm)
      return call.base *
             (start + (1 - start) * static_cast<double>(call.step + 1) / static_cast<double>(warm));
    return then ? then.value(c, behind(call, warm)) : call.base;
  }
  bool ignores_total() const { return !then || then.ignores_total(); }
  const char* monitor() const { return then ? then.monitor() : nullptr; }

 private:
  int64_t steps(const ScheduleCall& call) const {
    const double wanted = std::round(epochs * call.steps_per_epoch);  // may be beyond 64 bits
    return wanted < 0x1p62 ? static_cast<int64_t>(wanted) : int64_t{1} << 62;
  }
  static ScheduleCall behind(const ScheduleCall& call, int64_t warm) {
    size_t before = 0;
    while (before < call.evaluations.size() && call.evaluations[before].step <= warm) ++before;
    return {call.base, call.step - warm, std::max<int64_t>(call.total_steps - warm, 1), call.steps_per_epoch,
            Evaluations(call.evaluations.raw().subspan(before))};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.warm_up", "1.0.0", "Apache-2.0", schedule<WarmUp>("plait.warm_up"));
