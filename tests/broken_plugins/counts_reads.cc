// Labels records by how often it was asked.
// Caught by: same_again
// Words: differs when it is read again
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
    static int32_t reads = 0;
    call.output("label").data<int32_t>()[0] = reads++ % 10;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_reads", "1.0.0", "Apache-2.0", source<Broken>("broken.counts_reads_source"));
