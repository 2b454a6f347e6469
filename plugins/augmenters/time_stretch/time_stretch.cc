// Faster or slower, as high as it was.
#include <plait/sdk.hpp>
#include <plait/sdk/fast.hpp>
#include <plait/sound.hpp>
#include <plait/steady.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

// sum x y, in lanes of their own: the same order of adding everywhere.
PLAIT_FAST void add_products(const float* x, const float* y, size_t count, float* sums) {
  for (size_t i = 0; i < count; ++i) sums[i % 16] += x[i] * y[i];
}

struct TimeStretch {
  std::string part = "sound";
  double low = 0.8, high = 1.25, p = 1;
  int64_t window = 512;

  static void describe(Describe<TimeStretch>& d) {
    d.doc("makes a sound faster or slower without changing how high it is");
    d.details(
        "Windows of the sound, weighed by a Hann window, are added up half a window apart; they are taken "
        "out of "
        "it rate times as far\n"
        "apart, each moved by up to a quarter of a window to where it goes on best from the one before: the "
        "largest correlation with what\n"
        "follows that one. The rate is drawn for the sample, evenly over low to high; above 1 is faster.\n"
        "Shapes: the part f32 [samples]. Where the samples vary, the sound has samples / rate after it, "
        "rounded, "
        "and the part room for\n"
        "the slowest; else it has as many as before: zeros follow, or the end is cut off.\n"
        "Source: Verhelst, Roelands 1993, waveform similarity overlap-add (WSOLA).");
    d.field("part", &TimeStretch::part).doc("part of the sample");
    d.field("low", &TimeStretch::low).doc("least rate").range(0.1, 10);
    d.field("high", &TimeStretch::high).doc("largest rate").range(0.1, 10);
    d.field("window", &TimeStretch::window)
        .doc("even; two or more periods of the lowest tone")
        .range(4, 8192)
        .unit("samples");
    d.field("p", &TimeStretch::p).doc("chance that a sample is changed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add("window: 16").input(DType::f32, {100}, "sound", 0);
    e.add("low: 0.5 high: 2 window: 10 p: 0.5").input(DType::f32, {60}, "sound");
  }
  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
    if (window % 2 != 0) throw Error("window is ", window, ", wanted an even number of samples");
  }

  void infer(Parts& parts) const {
    PartSpec& sound = sound_part(parts, part);
    if (sound.variable_axis == 0) sound.shape[0] = std::max(sound.shape[0], stretched(sound.shape[0], low));
  }
  uint64_t workspace_bytes(Context&, int64_t) const {
    return static_cast<uint64_t>(2 * window + 2 * (window / 4)) * sizeof(float);
  }
  void open(Context&) {
    weights_.resize(static_cast<size_t>(window));
    for (size_t n = 0; n < weights_.size(); ++n) {
      const double turn = 2.0 * static_cast<double>(n) / static_cast<double>(window);
      weights_[n] = static_cast<float>(0.5 - 0.5 * steady::cos_of_half_turns(turn > 1 ? 2 - turn : turn));
    }
  }

  void apply(Context& c, SampleCall& call) const {
    const bool changes = call.random().chance(p);
    const double rate = call.random().uniform(low, high);
    const auto [in, out] = call.part(part);
    const int64_t samples = call.extent(part, 0);
    const int64_t wanted = changes ? stretched(samples, rate) : samples;
    const int64_t count = out.variable_axis() == 0 ? wanted : out.shape(0);
    if (out.variable_axis() == 0) call.set_length(part, count);
    const std::span<const float> x = in.data<float>().first(static_cast<size_t>(samples));
    const std::span<float> y = out.data<float>().first(static_cast<size_t>(count));
    const std::span<float> made = y.first(static_cast<size_t>(std::min(count, wanted)));
    std::ranges::fill(y, 0.0f);
    if (changes)
      stretch(c, x, rate, made, call.workspace<float>());
    else
      std::ranges::copy(x.first(made.size()), made.begin());
  }

 private:
  static int64_t stretched(int64_t samples, double rate) {
    return static_cast<int64_t>(std::floor(static_cast<double>(samples) / rate + 0.5));
  }
  // The sound's value, 0 outside of it.
  static float at(std::span<const float> x, int64_t n) {
    return n >= 0 && n < static_cast<int64_t>(x.size()) ? x[static_cast<size_t>(n)] : 0;
  }

  // Window number k lies half a window further than the one before, the first one half before the beginning:
  // then the weights of two add up to 1 everywhere.
  void stretch(Context& c, std::span<const float> x, double rate, std::span<float> y, float* memory) const {
    const int64_t half = window / 2, most = window / 4;
    const auto count = static_cast<int64_t>(y.size());
    const std::span<float> followed(memory, static_cast<size_t>(window)),
        near(memory + window, static_cast<size_t>(window + 2 * most));
    int64_t taken = -half;
    for (int64_t begin = -half, k = 0; begin < count; begin += half, ++k) {
      if (k % 64 == 63) c.stop_if_cancelled();
      if (k > 0) {
        const auto there =
            static_cast<int64_t>(std::floor(static_cast<double>(begin + half) * rate + 0.5)) - half;
        for (int64_t n = 0; n < window; ++n) followed[static_cast<size_t>(n)] = at(x, taken + half + n);
        for (int64_t n = 0; n < window + 2 * most; ++n)
          near[static_cast<size_t>(n)] = at(x, there - most + n);
        taken = there - most + best(followed, near);
      }
      for (int64_t n = std::max<int64_t>(0, -begin); n < std::min(window, count - begin); ++n)
        y[static_cast<size_t>(begin + n)] += weights_[static_cast<size_t>(n)] * at(x, taken + n);
    }
  }

  // Where in `near` what is most like `followed` begins: the largest correlation; of equal ones that nearest
  // to the middle, which of silence is the middle.
  static int64_t best(std::span<const float> followed, std::span<const float> near) {
    const size_t moves = near.size() - followed.size();
    double largest = 0;
    auto found = static_cast<int64_t>(moves / 2);
    for (size_t i = 0; i <= moves; ++i) {
      const size_t step = (i + 1) / 2, move = i % 2 == 0 ? moves / 2 + step : moves / 2 - step;
      if (move > moves) continue;
      float sums[16] = {};
      add_products(followed.data(), near.data() + move, followed.size(), sums);
      double product = 0, energy = 0;
      for (const float sum : sums) product += sum;
      float squares[16] = {};
      add_products(near.data() + move, near.data() + move, followed.size(), squares);
      for (const float sum : squares) energy += sum;
      const double likeness = energy > 0 ? product / std::sqrt(energy) : 0;
      if (likeness > largest) largest = likeness, found = static_cast<int64_t>(move);
    }
    return found;
  }

  std::vector<float> weights_;  // [window]
};

}  // namespace

PLAIT_PLUGIN("plait.time_stretch", "1.0.0", "Apache-2.0", augmenter<TimeStretch>("plait.time_stretch"));
