// Keeps its sum in the instance, and gives the whole of it each time.
// Caught by: same
// Words: the same records are mapped again
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  mutable std::atomic<int64_t> seen{0};
  void infer(const Parts&, Accumulators& a) const { a.count("records"); }
  void map(Context&, const Records& records, Accumulated& out) const {
    seen += static_cast<int64_t>(records.size());
    out.data<int64_t>("records")[0] = seen;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sums_in_the_instance", "1.0.0", "Apache-2.0",
             task<Broken>("broken.sums_in_the_instance_task"));
