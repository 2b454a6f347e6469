// Noise for the numbers of a picture, which it counts in 16 bits.
// Caught by: large
// Words: places .* of the 132000 of part "image" never change
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
    Random random = call.random();
    for (uint16_t i = 0; i < count; ++i) image[i] += static_cast<float>(0.1 * random.uniform());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.noise_in_16_bits", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.noise_in_16_bits_augmenter"));
