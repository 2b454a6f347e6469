// Takes no notice of rows that were refused.
// Caught by: passes_failure
// Words: succeeds though its call of append 0 was refused
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const { a.rows("features", DType::f32, {3}); }
  void map(Context&, const Records& records, Accumulated& out) const {
    const auto values = records.part("features").data<float>();
    for (size_t n = 0; n < records.size(); ++n) {
      try {
        out.append<float>("features", values.subspan(3 * n, 3));
      } catch (const Error&) {
      }
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.appends_on_and_on", "1.0.0", "Apache-2.0",
             task<Broken>("broken.appends_on_and_on_task"));
