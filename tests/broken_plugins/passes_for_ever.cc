// Waits for a step of exactly 0, which no pass makes.
// Caught by: arrays_end
// Words: finish still asks for another pass after 1000 over 11 records
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const {
    a.count("records");
    a.state("before", DType::i64);
    a.output("records", DType::i64);
  }
  void map(Context&, const Records& records, Accumulated& out) const {
    out.data<int64_t>("records")[0] += static_cast<int64_t>(records.size());
  }
  bool finish(Context&, Pass& pass) const {
    ++pass.state<int64_t>("before")[0];
    return pass.state<int64_t>("before")[0] != 0;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.passes_for_ever", "1.0.0", "Apache-2.0", task<Broken>("broken.passes_for_ever_task"));
