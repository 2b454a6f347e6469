// Puts the sum of a call where the sum of the calls before is.
// Caught by: cut
// Words: wanted within 1e-05 of what single records add
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const { a.sum("total"); }
  void map(Context&, const Records& records, Accumulated& out) const {
    double total = 0;
    for (const float value : records.part("features").data<float>()) total += value;
    out.data("total")[0] = total;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.overwrites_sum", "1.0.0", "Apache-2.0", task<Broken>("broken.overwrites_sum_task"));
