// Says an output, and has no finish to write it.
// Caught by: arrays_finish
// Words: there is no finish to write them
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
};

}  // namespace

PLAIT_PLUGIN("broken.never_finishes", "1.0.0", "Apache-2.0", task<Broken>("broken.never_finishes_task"));
