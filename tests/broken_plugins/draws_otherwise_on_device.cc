// An augmenter that draws the numbers of the first sample for all of a batch on a device.
// Caught by: same_samples
// Words: sample [1-9]\d*: element \d+ of output "image" is .* on the device
#include <plait/sdk.hpp>

#include "plain_device.h"

namespace {
using namespace plait::sdk;

struct Own : PlainDevice {
  static void describe(Describe<Own>& d) { d.doc("broken on purpose"); }
};

// A picture is turned into its negative, or not.
struct There {
  static void describe(Describe<There>& d) { d.doc("broken on purpose"); }
  void apply_samples(Context&, SamplesCall& call) const {
    const auto [in, out] = call.part("image");
    const bool turn = Random(call.rngs()[0]).chance(0.5);
    for (size_t i = 0; i < in.size(); ++i) {
      if (in.dtype() == DType::u8)
        out.data<uint8_t>()[i] =
            static_cast<uint8_t>(turn ? 255 - in.data<uint8_t>()[i] : in.data<uint8_t>()[i]);
      else
        out.f32()[i] = turn ? 1 - in.f32()[i] : in.f32()[i];
    }
  }
};

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {4, 4, 1}, "image"); }
  void infer(Parts& parts) const { static_cast<void>(parts.part("image")); }
  void apply(Context&, SampleCall& call) const {
    const bool turn = call.random().chance(0.5);
    const auto [in, out] = call.part("image");
    for (size_t i = 0; i < in.size(); ++i) out.f32()[i] = turn ? 1 - in.f32()[i] : in.f32()[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.draws_otherwise_on_device", "1.0.0", "Apache-2.0",
             device<Own>("broken.draws_otherwise_on_device"),
             augmenter<Broken>("broken.draws_otherwise_on_device_augmenter"),
             implementation<There>("broken.draws_otherwise_on_device_augmenter",
                                   "broken.draws_otherwise_on_device"));
