// Fills the upper half of its output only.
// Caught by: memory
// Words: not all of it is written
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
    const In from = call.input("image").f32();
    const Out to = call.output("image").f32();
    for (size_t i = 0; i < to.size() / 2; ++i) to[i] = from[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.half_a_picture", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.half_a_picture_augmenter"));
