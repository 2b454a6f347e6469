// The end of training where validations have stopped to become better.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct EarlyStopping {
  std::string value_name;
  double min_change = 0;
  int64_t patience = 5;

  static void describe(Describe<EarlyStopping>& d) {
    d.doc("ends training after `patience` validations without an improvement");
    d.details(
        "A validation is an improvement where it is better by `min_change` or more than the best before it.\n"
        "Training ends with the round in which `patience` validations in a row have been made without one.\n"
        "Source: Prechelt 1998, Early Stopping - But When?, the criterion UP with strips of one validation,\n"
        "counted from the best.");
    d.field("monitor", &EarlyStopping::value_name)
        .doc("the value of validations; default: the one that picks the best weights");
    d.field("patience", &EarlyStopping::patience)
        .doc("validations in a row without an improvement")
        .range(1, 1000000);
    d.field("min_change", &EarlyStopping::min_change).doc("the least improvement that counts").range(0, 1e12);
  }

  const char* monitor() const { return value_name.c_str(); }
  bool stop(const ScheduleCall& call) const {
    BestSoFar best(min_change);
    int64_t waited = 0;
    for (size_t i = 0; i < call.evaluations.size(); ++i) {
      waited = best.take(call.evaluations[i]) ? 0 : waited + 1;
      if (waited >= patience) return true;
    }
    return false;
  }
  bool ignores_total() const { return true; }
};

}  // namespace

PLAIT_PLUGIN("plait.early_stopping", "1.0.0", "Apache-2.0", schedule<EarlyStopping>("plait.early_stopping"));
