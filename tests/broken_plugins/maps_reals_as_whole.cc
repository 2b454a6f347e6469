// Says i64, and emits reals.
// Caught by: declared
// Words: emits a value of f64, wanted i64 as it declares
#include <plait/sdk.hpp>

#include <string>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Value emits = Value::kI64;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(const Parts& parts) const {
    if (parts.part("label").dtype != DType::i32) parts.fail("part \"label\" is not i32");
    if (!parts.part("label").shape.empty()) parts.fail("part \"label\" is not a number");
  }
  void map(Context&, const Records& records, Emitter& out) const {
    const auto label = records.part("label").data<int32_t>();
    for (size_t n = 0; n < records.size(); ++n) out.emit(std::to_string(label[n]), 0.5);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_reals_as_whole", "1.0.0", "Apache-2.0", task<Broken>("broken.maps_reals_as_whole_task"));
