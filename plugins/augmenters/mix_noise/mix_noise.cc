// Sounds with a hiss.
#include <plait/noise.hpp>
#include <plait/sdk.hpp>
#include <plait/sound.hpp>

#include <cmath>
#include <string>

using namespace plait::sdk;

namespace {

struct MixNoise {
  std::string part = "sound";
  double low = 5, high = 30, p = 1;

  static void describe(Describe<MixNoise>& d) {
    d.doc("mixes normal noise into a sound, as loud as a ratio to it says");
    d.details(
        "value + n, n normal with the deviation sqrt(mean of value^2) 10^(-ratio / 20); the ratio is drawn "
        "for "
        "the sample, evenly over\n"
        "low to high. Silence stays silent.\n"
        "Shapes: the part [samples, ...] of f32; comes out as it goes in. Where the samples vary, the mean "
        "is of "
        "those of the sample.");
    d.field("part", &MixNoise::part).doc("part of the sample");
    d.field("low", &MixNoise::low)
        .doc("least ratio of the sound to the noise: the loudest noise")
        .range(-100, 200)
        .unit("dB");
    d.field("high", &MixNoise::high).doc("largest ratio").range(-100, 200).unit("dB");
    d.field("p", &MixNoise::p).doc("chance that a sample is changed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add().input(DType::f32, {40}, "sound", 0);
    e.add("low: 0 high: 0 p: 0.5").input(DType::f32, {20, 2}, "sound");
  }
  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
  }

  void infer(Parts& parts) const { sound_rows_part(parts, part); }
  void open(Context&, const Parts& parts) {
    values_ = 1;
    for (const int64_t extent : parts.part(part).shape) values_ *= static_cast<uint64_t>(extent);
  }
  uint64_t workspace_bytes(Context&, int64_t) const { return values_ * sizeof(float); }

  void apply(Context&, SampleCall& call) const {
    const Tensor out = call.pass(part);
    Random random = call.random();
    if (!random.chance(p)) return;
    const double ratio = random.uniform(low, high);
    const size_t row = out.shape(0) > 0 ? out.size() / static_cast<size_t>(out.shape(0)) : 0;
    const std::span<float> y = out.data<float>().first(static_cast<size_t>(call.extent(part, 0)) * row);
    double squares = 0;
    for (const float value : y) squares += static_cast<double>(value) * static_cast<double>(value);
    if (!(squares > 0)) return;
    const double loudness = std::sqrt(squares / static_cast<double>(y.size()));
    const auto deviation = static_cast<float>(loudness * gain_factor(-ratio));
    auto* const noise = call.workspace<float>();
    fill_normals(random.split(0), noise, y.size());
    for (size_t i = 0; i < y.size(); ++i) y[i] += deviation * noise[i];
  }

 private:
  uint64_t values_ = 0;
};

}  // namespace

PLAIT_PLUGIN("plait.mix_noise", "1.0.0", "Apache-2.0", augmenter<MixNoise>("plait.mix_noise"));
