// Does not write one of its parts.
// Caught by: memory
// Words: part "label" of record 0 is not all written
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
    static_cast<void>(call.output("label"));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.forgets_label", "1.0.0", "Apache-2.0", source<Broken>("broken.forgets_label_source"));
