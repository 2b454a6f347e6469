// Takes the sum over the data to be there, and of the size that it asked for.
// Caught by: fit_state
// Words: crashes .*the sum over the data
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  double mean = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(Parts& parts) const {
    if (!parts.has("image") || parts.part("image").dtype != DType::f32) throw Error("wants an f32 image");
  }
  size_t fit_size(const Parts&) const { return 2; }
  void fit_observe(Context&, SampleCall& call, std::span<double> state) const {
    for (const float x : call.input("image").f32()) state[0] += x, state[1] += 1;
  }
  void open(Context& c, const Parts&) {
    const double* sum = c.fit().data();
    mean = sum[1] > 0 ? sum[0] / sum[1] : 0;
  }
  void apply(Context&, SampleCall& call) const {
    for (float& x : call.pass("image").f32()) x -= static_cast<float>(mean);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.trusts_fit_size", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.trusts_fit_size_augmenter"));
