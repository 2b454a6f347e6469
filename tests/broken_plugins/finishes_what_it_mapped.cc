// Finishes with the sum that its own instance kept, though others mapped too.
// Caught by: arrays_finish
// Words: another instance finishes the same accumulators differently
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  mutable std::atomic<int64_t> seen{0};
  void infer(const Parts&, Accumulators& a) const {
    a.count("records");
    a.output("records", DType::i64);
  }
  void map(Context&, const Records& records, Accumulated&) const {
    seen += static_cast<int64_t>(records.size());
  }
  bool finish(Context&, Pass& pass) const {
    pass.output<int64_t>("records")[0] = seen;
    return false;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.finishes_what_it_mapped", "1.0.0", "Apache-2.0",
             task<Broken>("broken.finishes_what_it_mapped_task"));
