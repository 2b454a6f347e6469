// Turns rows in memory that all threads share.
// Caught by: concurrent
// Words: when several threads apply one instance at once
#include <plait/sdk.hpp>
#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  mutable std::vector<float> row = std::vector<float>(64);

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
    for (size_t round = 0; round < 20; ++round) {
      row.assign(64, 0);
      for (size_t i = 0; i < to.size(); ++i) row[i % 64] = from[i], to[i] = row[i % 64];
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.shared_row", "1.0.0", "Apache-2.0", augmenter<Broken>("broken.shared_row_augmenter"));
