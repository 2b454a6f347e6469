// Names two accumulators alike.
// Caught by: same
// Words: two accumulators "total"
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const { a.sum("total"), a.count("total"); }
  void map(Context&, const Records&, Accumulated&) const {}
};

}  // namespace

PLAIT_PLUGIN("broken.declares_twice", "1.0.0", "Apache-2.0", task<Broken>("broken.declares_twice_task"));
