// Looks at the first element of vectors that have none.
// Caught by: whole_none
// Words: there is nothing to combine
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine_whole(Context&, const WholeReduction& call) const {
    if (call.count == 0) throw Error("there is nothing to combine");
    call.average_all(call.equal_weights());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wants_elements", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.wants_elements_reducer"));
