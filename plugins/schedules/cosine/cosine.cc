// A value that warms up along a line and falls along half a cosine.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

// cos(pi x) for x in [0, 1], the same bits wherever the instruction set is the same. Taylor's series on [0,
// pi / 2], whose first term left out, (pi / 2)^24 / 24!, is 8e-20.
double cosine_of_half_turns(double x) {
  if (x > 0.5) return -cosine_of_half_turns(1 - x);
  const double square = x * x * 9.869604401089358;
  double sum = 0;
  for (int n = 22; n > 0; n -= 2) sum = (1 + sum) * -square / (n * (n - 1));
  return 1 + sum;
}

struct Cosine {
  double warm_up = 0, start = 0, end = 0;

  static void describe(Describe<Cosine>& d) {
    d.doc("falls along half a cosine to the last step, after a warm-up along a line");
    d.details(
        "Warm-up of W steps: base (start + (1 - start) (s + 1) / W) at step s, so that its last step has the "
        "base.\n"
        "Then base (end + (1 - end) (1 + cos(pi p)) / 2), p from 0 to 1 at the stage's last step; where "
        "one step is left to fall over, it has the base.\n"
        "Source: Loshchilov, Hutter 2017, equation 5, without restarts.");
    d.field("warm_up", &Cosine::warm_up).doc("length of the warm-up").unit("epochs").range(0, 1e9);
    d.field("start", &Cosine::start)
        .doc("value that the warm-up begins with, as a share of the base")
        .range(0, 1);
    d.field("end", &Cosine::end).doc("value at the last step, as a share of the base").range(0, 1);
  }

  double value(const ScheduleCall& call) const {
    const double wanted = std::round(warm_up * call.steps_per_epoch);  // may be beyond 64 bits
    const int64_t warm =
        wanted < static_cast<double>(call.total_steps) ? static_cast<int64_t>(wanted) : call.total_steps;
    if (call.step < warm) {
      return call.base *
             (start + (1 - start) * static_cast<double>(call.step + 1) / static_cast<double>(warm));
    }
    const int64_t falling = std::max<int64_t>(1, call.total_steps - 1 - warm);
    const double p = std::min(1.0, static_cast<double>(call.step - warm) / static_cast<double>(falling));
    return call.base * (end + (1 - end) * 0.5 * (1 + cosine_of_half_turns(p)));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.cosine", "1.0.0", "Apache-2.0", schedule<Cosine>("plait.cosine"));
