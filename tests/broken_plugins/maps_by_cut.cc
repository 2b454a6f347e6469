// Emits the number of records of the call.
// Caught by: cut
// Words: in one call and in calls of 1 differ
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
    out.emit(std::to_string(label[0]), static_cast<int64_t>(records.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_by_cut", "1.0.0", "Apache-2.0", task<Broken>("broken.maps_by_cut_task"));
