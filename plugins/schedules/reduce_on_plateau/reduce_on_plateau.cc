// A value that falls where validations have stopped to become better.
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

struct ReduceOnPlateau {
  std::string value_name;
  double factor = 0.1, min_change = 0, least = 0;
  int64_t patience = 10, cool_down = 0;

  static void describe(Describe<ReduceOnPlateau>& d) {
    d.doc("multiplied by `factor` after `patience` validations without an improvement");
    d.details(
        "value = max(base * factor^n, least), and base where that is below least. A validation is an "
        "improvement\n"
        "where it is better by `min_change` or more than the best before it. After `patience` validations in "
        "a\n"
        "row without one n grows by 1, and the count begins anew after the next `cool_down` validations.\n"
        "Changes come with the round that follows the validation.\n"
        "Source: the widespread practice of training by validation error; He, Zhang, Ren, Sun 2016, "
        "section 3.4.");
    d.field("monitor", &ReduceOnPlateau::value_name)
        .doc("the value of validations; default: the one that picks the best weights");
    d.field("factor", &ReduceOnPlateau::factor).doc("what the value is multiplied by").above(0).below(1);
    d.field("patience", &ReduceOnPlateau::patience)
        .doc("validations without an improvement")
        .range(1, 1000000);
    d.field("min_change", &ReduceOnPlateau::min_change)
        .doc("the least improvement that counts")
        .range(0, 1e12);
    d.field("cool_down", &ReduceOnPlateau::cool_down)
        .doc("validations after a change that are not counted")
        .range(0, 1000000);
    d.field("least", &ReduceOnPlateau::least).doc("the value does not fall below it").range(0, 1e12);
  }

  const char* monitor() const { return value_name.c_str(); }
  double value(const ScheduleCall& call) const {
    BestSoFar best(min_change);
    int64_t waited = 0, cooling = 0;
    double now = call.base;
    for (size_t i = 0; i < call.evaluations.size(); ++i) {
      const bool is_better = best.take(call.evaluations[i]);
      const bool counts = cooling == 0;
      cooling -= cooling > 0;
      waited = is_better || !counts ? 0 : waited + 1;
      if (waited < patience) continue;
      now *= factor;
      waited = 0;
      cooling = cool_down;
    }
    return std::max(now, std::min(call.base, least));
  }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("plait.reduce_on_plateau", "1.0.0", "Apache-2.0",
             schedule<ReduceOnPlateau>("plait.reduce_on_plateau"));
