// Doubles the numbers of a picture, which it counts in 16 bits; the others it copies.
// Caught by: large
// Words: part "image" of 132000 numbers comes out otherwise at place .* when it is cut into pieces
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
    const Out image = call.pass("image").f32();
    const auto count = static_cast<uint16_t>(image.size());
    for (uint16_t i = 0; i < count; ++i) image[i] *= 2;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.augments_in_16_bits", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.augments_in_16_bits_augmenter"));
