// Adds up in a workspace that it has not cleared.
// Caught by: memory
// Words: depends on what its memory
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  uint64_t workspace_bytes(Context&, int64_t) const { return sizeof(float); }
  void apply(Context&, SampleCall& call) const {
    for (uint32_t i = 0; i < call.c()->n_outputs; ++i) {
      const Tensor out(call.c()->outputs[i]);
      if (out.dtype() != DType::f32) continue;
      const auto [in, written] = call.part(out.name());
      float& sum = *call.workspace<float>();
      for (const float x : in.f32()) sum += x;
      for (float& y : written.f32()) y = sum;
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reads_workspace", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.reads_workspace_augmenter"));
