// Asks for a workspace of 64 samples, whatever the batch is.
// Caught by: batch
// Words: writes outside its workspace
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  uint64_t workspace_bytes(Context&, int64_t) const { return 64 * sizeof(int32_t); }
  void apply(Context&, SampleCall&) const {}
  void apply_batch(Context&, SampleCall& call) const {
    const auto samples = static_cast<size_t>(call.c()->inputs[0]->shape[0]);
    for (size_t n = 0; n < samples; ++n) call.workspace<int32_t>()[n] = 1;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.workspace_for_64", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.workspace_for_64_augmenter"));
