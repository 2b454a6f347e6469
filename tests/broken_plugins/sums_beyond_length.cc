// Adds up all that a record could hold, whatever its length.
// Caught by: reads_only
// Words: what lies past a record's length
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::u8, {60}, "text", 0); }
  void infer(const Parts&, Accumulators& a) const { a.sum("total"); }
  void map(Context&, const Records& records, Accumulated& out) const {
    const Tensor text = records.part("text");
    for (size_t n = 0; n < records.size(); ++n)
      for (const uint8_t byte : text.sample<uint8_t>(n)) out.data("total")[0] += byte;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sums_beyond_length", "1.0.0", "Apache-2.0",
             task<Broken>("broken.sums_beyond_length_task"));
