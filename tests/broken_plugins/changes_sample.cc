// Darkens the picture that it is given.
// Caught by: memory
// Words: writes its input "image"
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(Parts& parts) const {
    for (const PartSpec& part : parts) {
      if (part.name == "image" && part.dtype == DType::f32) return;
    }
    throw Error("wants an f32 image");
  }
  void apply(Context&, SampleCall& call) const {
    for (float& v : call.input("image").f32()) v *= 0.5f;
    call.pass("image");
  }
};

}  // namespace

PLAIT_PLUGIN("broken.changes_sample", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.changes_sample_augmenter"));
