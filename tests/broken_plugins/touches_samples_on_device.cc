// An augmenter that touches memory of the test device on the host.
// Caught by: same_samples
// Words: crashes .SIGSEGV.*apply_samples
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct There {
  static void describe(Describe<There>& d) { d.doc("broken on purpose"); }
  void apply_samples(Context&, SamplesCall& call) const {
    const auto [in, out] = call.part("image");
    for (size_t i = 0; i < in.size(); ++i) out.f32()[i] = -in.f32()[i];
  }
};

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {4, 4, 1}, "image"); }
  void infer(Parts& parts) const { static_cast<void>(parts.part("image")); }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("image");
    for (size_t i = 0; i < in.size(); ++i) out.f32()[i] = -in.f32()[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.touches_samples_on_device", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.touches_samples_on_device_augmenter"),
             implementation<There>("broken.touches_samples_on_device_augmenter", "plait.test_device"));
