// Sounds at another rate.
#include <plait/sdk.hpp>
#include <plait/spectrum.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

struct Resample {
  // Zeros of the sine on either side of its middle.
  static constexpr int64_t kZeros = 16, kMostTimes = 64;

  std::string part = "sound";
  int64_t from = 44100, to = 16000;

  static void describe(Describe<Resample>& d) {
    d.doc("gives a sound another rate of samples");
    d.details(
        "y(m) = sum_n x(n) h(m from / to - n), h(t) = c sin(pi c t) / (pi c t) (0.5 + 0.5 cos(pi c t / 16)) "
        "for "
        "|c t| < 16,\n"
        "c = min(1, to / from): nothing above half of the lower rate stays. Outside of the sound lies 0.\n"
        "Shapes: the part f32 [samples] becomes f32 [samples to / from], rounded up; where the samples vary, "
        "those of what the sample\n"
        "has. The rates are at most 64 times each other.\n"
        "Source: Crochiere, Rabiner 1983, \"Multirate Digital Signal Processing\", chapter 4.");
    d.field("part", &Resample::part).doc("part of the sample");
    d.field("from", &Resample::from).doc("rate that it has").range(1, 192000).unit("Hz");
    d.field("to", &Resample::to).doc("rate that it gets").range(1, 192000).unit("Hz");
  }
  static void examples(Examples& e) {
    e.add("from: 3 to: 2").input(DType::f32, {100}, "sound", 0);
    e.add("from: 8000 to: 11025").input(DType::f32, {60}, "sound");
  }
  void validate() const {
    if (to > kMostTimes * from || from > kMostTimes * to)
      throw Error("rates are ", from, " and ", to, ", wanted at most ", kMostTimes, " times each other");
  }

  void infer(Parts& parts) const {
    PartSpec& sound = sound_part(parts, part);
    sound.shape[0] = resampled(sound.shape[0]);
  }

  // A filter for each place between two samples at which outputs lie.
  void open(Context&) {
    const int64_t common = std::gcd(from, to);
    step_ = from / common;
    phases_ = to / common;
    const double c = std::min(1.0, static_cast<double>(to) / static_cast<double>(from));
    reach_ = static_cast<int64_t>(std::ceil(static_cast<double>(kZeros) / c));
    filters_.reserve(static_cast<size_t>(phases_ * 2 * reach_));
    for (int64_t phase = 0; phase < phases_; ++phase)
      for (int64_t n = 1 - reach_; n <= reach_; ++n)
        filters_.push_back(static_cast<float>(
            weight(c, static_cast<double>(phase) / static_cast<double>(phases_) - static_cast<double>(n))));
  }

  void apply(Context& context, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    const int64_t samples = call.extent(part, 0), count = resampled(samples);
    if (out.variable_axis() == 0) call.set_length(part, count);
    const float* const x = in.data<float>().data();
    const std::span<float> y = out.data<float>();
    for (int64_t m = 0; m < count; ++m) {
      if (m % 65536 == 65535) context.stop_if_cancelled();
      const int64_t at = m * step_ / phases_, phase = m * step_ % phases_;
      const float* const filter = filters_.data() + phase * 2 * reach_ + reach_ - 1;  // of n = 0
      double sum = 0;
      const int64_t first = std::max(1 - reach_, -at), last = std::min(reach_, samples - 1 - at);
      for (int64_t n = first; n <= last; ++n)
        sum += static_cast<double>(x[at + n]) * static_cast<double>(filter[n]);
      y[static_cast<size_t>(m)] = static_cast<float>(sum);
    }
  }

 private:
  int64_t resampled(int64_t samples) const { return (samples * to + from - 1) / from; }
  static double weight(double c, double t) {
    const double turn = c * std::abs(t);
    if (turn >= static_cast<double>(kZeros)) return 0;
    const double window = 0.5 + 0.5 * steady::cos_of_any_half_turns(turn / static_cast<double>(kZeros));
    if (turn == 0) return c;
    return c * steady::sin_of_any_half_turns(turn) / (3.141592653589793 * turn) * window;
  }

  int64_t step_ = 1, phases_ = 1, reach_ = 1;
  std::vector<float> filters_;  // [phases, 2 reach]
};

}  // namespace

PLAIT_PLUGIN("plait.resample", "1.0.0", "Apache-2.0", augmenter<Resample>("plait.resample"));
