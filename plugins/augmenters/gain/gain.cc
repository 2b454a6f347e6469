// Louder or softer.
#include <plait/sdk.hpp>
#include <plait/sound.hpp>

#include <string>

using namespace plait::sdk;

namespace {

struct Gain {
  static constexpr bool two_axes = true;
  std::string part = "sound";
  double low = -6, high = 6, p = 1;

  static void describe(Describe<Gain>& d) {
    d.doc("makes a sound louder or softer");
    d.details(
        "value 10^(g / 20), g drawn for the sample, evenly over low to high.\n"
        "Shapes: the part, of f32 and any shape, comes out as it goes in. Nothing is cut off: values may "
        "leave "
        "-1 to 1.");
    d.field("part", &Gain::part).doc("part of the sample");
    d.field("low", &Gain::low).doc("least gain").range(-200, 200).unit("dB");
    d.field("high", &Gain::high).doc("largest gain").range(-200, 200).unit("dB");
    d.field("p", &Gain::p).doc("chance that a sample is changed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add().input(DType::f32, {40}, "sound", 0);
    e.add("low: 3 high: 3 p: 0.5").input(DType::f32, {20, 2}, "sound");
  }
  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
  }

  void infer(Parts& parts) const {
    const PartSpec& sound = parts.part(part);
    if (sound.dtype != DType::f32)
      throw Error("part \"", part, "\" is ", name_of(sound.dtype), std::span<const int64_t>(sound.shape),
                  ", wanted f32");
  }
  void apply(Context&, SampleCall& call) const {
    const Tensor out = call.pass(part);
    if (!call.random().chance(p)) return;
    const double gain = call.random().uniform(low, high);
    const auto factor = static_cast<float>(gain_factor(gain));
    for (float& value : out.f32()) value *= factor;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.gain", "1.0.0", "Apache-2.0", augmenter<Gain>("plait.gain"));
