// One record in the middle is written in half.
// Caught by: memory
// Words: part "image" of record 500 is not all written
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void open(Context&) {}
  SourceInfo info() const {
    SourceInfo made;
    made.count = 777;
    made.parts.add("image", DType::f32, {20});
    return made;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    std::fill_n(call.output("image").f32().data(), index == 500 ? 10 : 20, static_cast<float>(index));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.one_half_record", "1.0.0", "Apache-2.0",
             source<Broken>("broken.one_half_record_source"));
