// Emits a key that is longer than keys are.
// Caught by: declared
// Words: emits a key of 65537 bytes
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
    for (size_t n = 0; n < records.size(); ++n) out.emit(std::string(65537, 'k'), int64_t{label[n]});
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_long_keys", "1.0.0", "Apache-2.0", task<Broken>("broken.maps_long_keys_task"));
