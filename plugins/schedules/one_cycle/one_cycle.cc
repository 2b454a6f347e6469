// A value that rises to its peak and falls far below where it began.
#include <plait/sdk.hpp>
#include <plait/steady.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

struct OneCycle {
  enum class Along { kCosine, kLine };
  double peak = 0.3, start = 0.04, end = 4e-6;
  Along along = Along::kCosine;

  static void describe(Describe<OneCycle>& d) {
    d.doc("rises to the base, and falls to almost nothing at the last step");
    d.details(
        "Of T steps, up to step peak T - 1: from base start to base; from there to step T - 1: to base end. "
        "Along half a "
        "cosine\n"
        "each, or a line. Of a single step: base.\n"
        "For momentum, which goes the other way: a base of 0.85, and start and end of 1.12.\n"
        "Source: Smith, Topin 2018, Super-Convergence; in the form of PyTorch's OneCycleLR, whose div_factor "
        "is 1 / start, "
        "and\n"
        "final_div_factor start / end.");
    d.field("peak", &OneCycle::peak).doc("share of the steps before the base is reached").range(0, 1);
    d.field("start", &OneCycle::start).doc("value at the first step, as a share of the base").range(0, 1000);
    d.field("end", &OneCycle::end).doc("value at the last step, as a share of the base").range(0, 1000);
    d.field("along", &OneCycle::along).doc("shape of the way up and down").choices({"cosine", "line"});
  }

  double value(const ScheduleCall& call) const {
    if (call.total_steps <= 1) return call.base;
    const auto step = static_cast<double>(call.step), last = static_cast<double>(call.total_steps) - 1;
    const double top = peak * static_cast<double>(call.total_steps) - 1;
    const double share = step <= top ? between(start, 1, top > 0 ? step / top : 1)
                                     : between(1, end, top < last ? (step - top) / (last - top) : 1);
    return call.base * share;
  }

 private:
  double between(double from, double to, double p) const {
    const double place = std::min(p, 1.0);
    return from + (to - from) * (along == Along::kLine ? place : steady::half_cosine(place));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.one_cycle", "1.0.0", "Apache-2.0", schedule<OneCycle>("plait.one_cycle"));
