// Looks at its parts when the first records come, not before.
// Caught by: refuses
// Words: of which map then refuses every record
#include <plait/sdk.hpp>

#include <string>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Value emits = Value::kI64;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) {
    e.add().input(DType::i32, {}, "label").input(DType::f32, {3}, "features");
  }
  void map(Context&, const Records& records, Emitter& out) const {
    const auto label = records.part("label").data<int32_t>();
    for (size_t n = 0; n < records.size(); ++n) out.emit(std::to_string(label[n]), int64_t{1});
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_any_parts", "1.0.0", "Apache-2.0", task<Broken>("broken.maps_any_parts_task"));
