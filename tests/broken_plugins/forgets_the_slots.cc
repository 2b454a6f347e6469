// Combines the parameters, and leaves buffers and slots as their memory was.
// Caught by: whole_memory
// Words: depends on what its memory held before
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine_whole(Context&, const WholeReduction& call) const {
    for (size_t t = 0; t < call.tensors(); ++t)
      if (call.tensor(t).is_parameter()) call.average(t, call.equal_weights());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.forgets_the_slots", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.forgets_the_slots_reducer"));
