// Keeps what a pass needs of the one before in the instance, not in a state.
// Caught by: arrays_iterate
// Words: other instances run the same passes, and state "before" after pass 1 differs
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  mutable std::atomic<int64_t> last{0};
  void infer(const Parts&, Accumulators& a) const {
    a.count("records");
    a.state("before", DType::i64);
    a.output("records", DType::i64);
  }
  void map(Context&, const Records& records, Accumulated& out) const {
    out.data<int64_t>("records")[0] += static_cast<int64_t>(records.size());
  }
  bool finish(Context&, Pass& pass) const {
    if (pass.number() == 0) last = 0;
    last += pass.records();
    pass.state<int64_t>("before")[0] = last;
    pass.output<int64_t>("records")[0] = last;
    return pass.number() < 3;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.remembers_passes", "1.0.0", "Apache-2.0", task<Broken>("broken.remembers_passes_task"));
