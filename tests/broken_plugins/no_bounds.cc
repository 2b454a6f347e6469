// Reads records that do not exist.
// Caught by: out_of_range
// Words: reads record -1 of 20
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void open(Context&) {}
  SourceInfo info() const {
    SourceInfo made;
    made.count = 20;
    made.parts.add("image", DType::f32, {4, 4, 1});
    made.parts.add("label", DType::i32, {});
    return made;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    const auto value = static_cast<float>(index % 20);
    for (float& v : call.output("image").f32()) v = value;
    call.output("label").data<int32_t>()[0] = static_cast<int32_t>(index % 10);
  }
};

Entry unchecked() {
  Entry entry = source<Broken>("broken.no_bounds_source");
  static plait_source_ops ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  ops.read = [](const void*, plait_context* context, int64_t index, const plait_sample_call* raw) -> int {
    Context c(context);
    SampleCall call(raw);
    Broken().read(c, index, call);
    return PLAIT_OK;
  };
  entry.implementation.ops = &ops;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.no_bounds", "1.0.0", "Apache-2.0", unchecked());
