// Draws from the C library.
// Caught by: same_again
// Words: randomness besides the call
#include <cstdlib>
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
    for (float& v : call.pass("image").f32()) v += static_cast<float>(std::rand() % 100) / 1000;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.global_rand", "1.0.0", "Apache-2.0", augmenter<Broken>("broken.global_rand_augmenter"));
