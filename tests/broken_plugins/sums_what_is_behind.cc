// Takes what lies after its array into the sum.
// Caught by: arrays_memory
// Words: what lies around the arrays is read by map
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const { a.count("records", {1}); }
  void map(Context&, const Records& records, Accumulated& out) const {
    const auto counts = out.data<int64_t>("records");
    counts[0] += static_cast<int64_t>(records.size()) + counts.data()[1] % 256;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sums_what_is_behind", "1.0.0", "Apache-2.0",
             task<Broken>("broken.starts_from_array_task"));
