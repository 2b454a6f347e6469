// Marks the last samples of a batch in memory for 64 of them, and writes past the end of larger batches.
// Caught by: batch
// Words: 70 samples.*writes outside its output "image"
#include <plait/sdk.hpp>

#include <algorithm>

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
  void apply(Context&, SampleCall& call) const { call.pass("image"); }
  void apply_batch(Context&, SampleCall& call) const {
    const Tensor batch = call.pass("image");
    const Out image = batch.f32();
    if (batch.shape(0) > 64) std::fill_n(image.data() + image.size(), 8, 1.0f);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.batches_of_64", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.batches_of_64_augmenter"));
