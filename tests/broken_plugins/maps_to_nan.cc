// Emits a NaN where a label is 0.
// Caught by: declared
// Words: says that values are f64, and emits one of -?nan
#include <plait/sdk.hpp>

#include <limits>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Value emits = Value::kF64;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(const Parts& parts) const {
    if (parts.part("label").dtype != DType::i32) parts.fail("part \"label\" is not i32");
    if (!parts.part("label").shape.empty()) parts.fail("part \"label\" is not a number");
  }
  void map(Context&, const Records& records, Emitter& out) const {
    const auto label = records.part("label").data<int32_t>();
    for (size_t n = 0; n < records.size(); ++n)
      out.emit("quotient", label[n] == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_to_nan", "1.0.0", "Apache-2.0", task<Broken>("broken.maps_to_nan_task"));
