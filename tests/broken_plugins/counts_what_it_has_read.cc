// Counts on from where it was the last time, as a stream that is not opened again.
// Caught by: counted
// Words: records up to
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable int64_t at = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void open(Context&) {}
  SourceInfo info() const {
    SourceInfo made;
    made.count = -1;
    made.parts.add("image", DType::f32, {4, 4, 1});
    return made;
  }
  int64_t count_up_to(Context&, int64_t most) const {
    const int64_t counted = std::min<int64_t>(most, 20 - at);
    at += counted;
    return counted;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    if (index >= 20) throw Error("record ", index, " of 20 does not exist");
    for (float& v : call.output("image").f32()) v = static_cast<float>(index);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_what_it_has_read", "1.0.0", "Apache-2.0",
             source<Broken>("broken.counts_what_it_has_read_source"));
