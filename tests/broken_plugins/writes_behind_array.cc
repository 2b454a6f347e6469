// Has one bin less than it fills.
// Caught by: arrays_memory
// Words: writes around accumulator "bins": [0-9]+ bytes past its end
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const { a.count("bins", {3}); }
  void map(Context&, const Records& records, Accumulated& out) const {
    const auto bins = out.data<int64_t>("bins");
    for (size_t n = 0; n < records.size(); ++n)
      ++bins.data()[(records.first() + static_cast<int64_t>(n)) % 4];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.writes_behind_array", "1.0.0", "Apache-2.0",
             task<Broken>("broken.writes_behind_array_task"));
