// Takes no notice of a pair that was refused.
// Caught by: passes_failure
// Words: succeeds though its pair 0 was refused
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
    for (size_t n = 0; n < records.size(); ++n) {
      try {
        out.emit(std::to_string(label[n]), int64_t{1});
      } catch (const Error&) {
      }
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_on_and_on", "1.0.0", "Apache-2.0", task<Broken>("broken.maps_on_and_on_task"));
