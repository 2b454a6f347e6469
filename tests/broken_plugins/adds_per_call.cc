// Counts calls, not records.
// Caught by: cut
// Words: in calls of 1 differ: pair 0 is "records"
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const { a.count("records"); }
  void map(Context&, const Records&, Accumulated& out) const { out.data<int64_t>("records")[0] += 1; }
};

}  // namespace

PLAIT_PLUGIN("broken.adds_per_call", "1.0.0", "Apache-2.0", task<Broken>("broken.adds_per_call_task"));
