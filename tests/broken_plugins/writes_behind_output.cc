// Writes one number more than its output has.
// Caught by: arrays_memory
// Words: in pass 0, finish writes around output "records": 8 bytes past its end
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
    int64_t* to = pass.output<int64_t>("records").data();
    to[0] = to[1] = pass.accumulated<int64_t>("records")[0];
    return false;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.writes_behind_output", "1.0.0", "Apache-2.0",
             task<Broken>("broken.writes_behind_output_task"));
