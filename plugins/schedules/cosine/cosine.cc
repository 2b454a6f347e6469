// A value that warms up along a line and falls along half a cosine.
#include <plait/sdk.hpp>
#include <plait/steady.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace plait::sdk;

namespace {

struct Cosine {
  double warm_up = 0, start = 0, end = 0, restart_every = 0;
  int64_t restart_growth = 1;

  static void describe(Describe<Cosine>& d) {
    d.doc("falls along half a cosine to the last step, or again and again, after a warm-up along a line");
    d.details(
        "Warm-up of W steps: base (start + (1 - start) (s + 1) / W) at step s, so that its last step has the "
        "base.\n"
        "Then base (end + (1 - end) (1 + cos(pi p)) / 2), p from 0 to 1 at the stage's last step; where "
        "one step is left to fall over, it has the base.\n"
        "With restart_every: p = T / R, T epochs since the last restart, R = restart_every for the first "
        "fall, and "
        "restart_growth times\n"
        "as long for each one after it; a fall ends just before p = 1.\n"
        "Source: Loshchilov, Hutter 2017, equation 5.");
    d.field("warm_up", &Cosine::warm_up).doc("length of the warm-up").unit("epochs").range(0, 1e9);
    d.field("start", &Cosine::start)
        .doc("value that the warm-up begins with, as a share of the base")
        .range(0, 1);
    d.field("end", &Cosine::end).doc("value at the last step, as a share of the base").range(0, 1);
    d.field("restart_every", &Cosine::restart_every)
        .doc("length of the first fall; 0: one fall, no restarts")
        .unit("epochs")
        .range(0, 1e9);
    d.field("restart_growth", &Cosine::restart_growth)
        .doc("how many times as long the next fall is")
        .range(1, 1000);
  }
  bool ignores_total() const { return restart_every > 0; }

  double value(const ScheduleCall& call) const {
    const int64_t warm = warm_steps(call);
    if (call.step < warm) {
      return call.base *
             (start + (1 - start) * static_cast<double>(call.step + 1) / static_cast<double>(warm));
    }
    const double p = restart_every > 0 ? place_since_restart(call, warm) : place_to_the_end(call, warm);
    return call.base * (end + (1 - end) * 0.5 * (1 + steady::cos_of_half_turns(p)));
  }

 private:
  int64_t warm_steps(const ScheduleCall& call) const {
    const double wanted = std::round(warm_up * call.steps_per_epoch);  // may be beyond 64 bits
    const int64_t most = restart_every > 0 ? std::numeric_limits<int64_t>::max() : call.total_steps;
    return wanted < static_cast<double>(most) ? static_cast<int64_t>(wanted) : most;
  }
  static double place_to_the_end(const ScheduleCall& call, int64_t warm) {
    const int64_t falling = std::max<int64_t>(1, call.total_steps - 1 - warm);
    return std::min(1.0, static_cast<double>(call.step - warm) / static_cast<double>(falling));
  }
  double place_since_restart(const ScheduleCall& call, int64_t warm) const {
    // A billionth of an epoch makes up for a division that falls short of a whole number.
    double left = ScheduleCall{0, call.step - warm, 0, call.steps_per_epoch}.epoch() + 1e-9,
           length = restart_every;
    if (restart_growth == 1) left -= std::floor(left / length) * length;
    for (; restart_growth > 1 && left >= length; length *= static_cast<double>(restart_growth))
      left -= length;
    return std::clamp((left - 1e-9) / length, 0.0, 1.0);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.cosine", "1.0.0", "Apache-2.0", schedule<Cosine>("plait.cosine"));
