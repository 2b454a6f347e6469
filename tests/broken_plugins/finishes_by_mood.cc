// Adds the number of finishes before to what comes out.
// Caught by: arrays_finish
// Words: the same accumulators are finished again, and differently: output "records"
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  mutable std::atomic<int64_t> calls{0};
  void infer(const Parts&, Accumulators& a) const {
    a.count("records");
    a.state("before", DType::i64);
    a.output("records", DType::i64);
  }
  void map(Context&, const Records& records, Accumulated& out) const {
    out.data<int64_t>("records")[0] += static_cast<int64_t>(records.size());
  }
  bool finish(Context&, Pass& pass) const {
    pass.output<int64_t>("records")[0] = pass.accumulated<int64_t>("records")[0] + calls++;
    return false;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.finishes_by_mood", "1.0.0", "Apache-2.0", task<Broken>("broken.finishes_by_mood_task"));
