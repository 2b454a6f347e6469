// Divides by what may be nothing, in every record.
// Caught by: declared
// Words: element 0 of accumulator "quotient" became inf
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const { a.sum("quotient"); }
  void map(Context&, const Records& records, Accumulated& out) const {
    for (size_t n = 0; n < records.size(); ++n)
      out.data("quotient")[0] += 1 / static_cast<double>((records.first() + static_cast<int64_t>(n)) % 8);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.divides_in_map", "1.0.0", "Apache-2.0", task<Broken>("broken.divides_in_map_task"));
