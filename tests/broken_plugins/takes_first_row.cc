// Takes the first of its rows, though there may be none.
// Caught by: arrays_few
// Words: signal|crash|SIG
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const {
    a.rows("features", DType::f32, {3});
    a.output("first", DType::f32, {3});
  }
  void map(Context&, const Records& records, Accumulated& out) const {
    out.append<float>("features", records.part("features").data<float>());
  }
  bool finish(Context&, Pass& pass) const {
    const float* rows = pass.accumulated<float>("features").data();
    for (size_t i = 0; i < 3; ++i) pass.output<float>("first")[i] = rows[i];
    return false;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.takes_first_row", "1.0.0", "Apache-2.0", task<Broken>("broken.takes_first_row_task"));
