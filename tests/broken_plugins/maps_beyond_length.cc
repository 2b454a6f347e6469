// Takes all that a record could hold for its text.
// Caught by: reads_only
// Words: what lies past a record's length
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Value emits = Value::kI64;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(const Parts& parts) const {
    if (parts.part("text").dtype != DType::u8) parts.fail("part \"text\" is not u8");
  }
  void map(Context&, const Records& records, Emitter& out) const {
    const Tensor text = records.part("text");
    for (size_t n = 0; n < records.size(); ++n)
      for (const uint8_t byte : text.sample<uint8_t>(n))
        if (byte == 'A') out.emit("A", int64_t{1});
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_beyond_length", "1.0.0", "Apache-2.0",
             task<Broken>("broken.maps_beyond_length_task"));
