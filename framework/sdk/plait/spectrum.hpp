// Spectra of sounds, window after window: what spectrogram, log_mel and mfcc have in common. Optional;
// sdk.hpp does not include it.
//
// The same bits on every machine: sums and products of f64, with sines by series (steady.hpp).
#pragma once
#include <plait/sdk.hpp>
#include <plait/sound.hpp>
#include <plait/steady.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

namespace plait::sdk {

namespace steady {

// cos(pi x) for any x >= 0.
inline double cos_of_any_half_turns(double x) {
  const double turned = std::fmod(x, 2);
  return cos_of_half_turns(turned > 1 ? 2 - turned : turned);
}
inline double sin_of_any_half_turns(double x) { return cos_of_any_half_turns(x + 1.5); }

}  // namespace steady

// Squared magnitudes of the discrete Fourier transform of `window` values, weighed by a Hann window and
// followed by zeros up to `size`, a power of two: |sum_n w(n) x(n) e^(-2 pi i k n / size)|^2, k from 0 to
// size / 2; w(n) = 0.5 - 0.5 cos(2 pi n / window).
// Source: Cooley, Tukey 1965; two real values as one complex one, half of the length.
// Threads: [any]; each call has a workspace of its own
class PowerSpectrum {
 public:
  PowerSpectrum() = default;
  explicit PowerSpectrum(size_t window)
      : size_(std::max<size_t>(4, std::bit_ceil(window))), weights_(window), turns_(size_ / 2) {
    for (size_t n = 0; n < window; ++n)
      weights_[n] = 0.5 - 0.5 * steady::cos_of_any_half_turns(2.0 * share(n, window));
    for (size_t n = 0; n < turns_.size(); ++n)
      turns_[n] = {steady::cos_of_any_half_turns(2.0 * share(n, size_)),
                   -steady::sin_of_any_half_turns(2.0 * share(n, size_))};
  }
  size_t bins() const { return size_ / 2 + 1; }
  // f64 of workspace.
  size_t workspace() const { return size_; }

  // `count`: of the window's values; the others are 0. Shapes: power [bins()], workspace [workspace()].
  void operator()(const float* x, size_t count, double* workspace, double* power) const {
    const size_t half = size_ / 2;
    auto* const z = reinterpret_cast<Complex*>(workspace);
    const int shift = 64 - std::countr_zero(half);
    for (size_t n = 0; n < half; ++n)
      z[reversed(n, shift)] = {value(x, count, 2 * n), value(x, count, 2 * n + 1)};
    for (size_t length = 2; length <= half; length *= 2)
      for (size_t begin = 0; begin < half; begin += length)
        for (size_t n = 0; n < length / 2; ++n) {
          Complex &a = z[begin + n], &b = z[begin + n + length / 2];
          const Complex turned = product(b, turns_[n * (size_ / length)]), sum = a;
          a = {sum.real + turned.real, sum.imaginary + turned.imaginary};
          b = {sum.real - turned.real, sum.imaginary - turned.imaginary};
        }
    power[0] = squared(z[0].real + z[0].imaginary);
    power[half] = squared(z[0].real - z[0].imaginary);
    for (size_t k = 1; k < half; ++k) {
      const Complex a = z[k], b = z[half - k];
      const Complex even = {0.5 * (a.real + b.real), 0.5 * (a.imaginary - b.imaginary)};
      const Complex odd = {0.5 * (a.imaginary + b.imaginary), 0.5 * (b.real - a.real)};
      const Complex turned = product(odd, turns_[k]);
      power[k] = squared(even.real + turned.real) + squared(even.imaginary + turned.imaginary);
    }
  }

 private:
  struct Complex {
    double real, imaginary;
  };
  static double share(size_t n, size_t of) { return static_cast<double>(n) / static_cast<double>(of); }
  static double squared(double x) { return x * x; }
  static Complex product(const Complex& a, const Complex& b) {
    return {a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real};
  }
  static size_t reversed(size_t n, int shift) {
    uint64_t bits = n, turned = 0;
    for (int i = 0; i < 64 - shift; ++i, bits >>= 1) turned = turned << 1 | (bits & 1);
    return turned;
  }
  double value(const float* x, size_t count, size_t n) const {
    return n < count && n < weights_.size() ? static_cast<double>(x[n]) * weights_[n] : 0;
  }

  size_t size_ = 0;
  std::vector<double> weights_;
  std::vector<Complex> turns_;
};

// Triangles of height 1 over the bins of a spectrum, whose corners lie as far apart on the mel scale:
// 2595 log10(1 + f / 700 Hz). Source: O'Shaughnessy 1987; Davis, Mermelstein 1980.
class MelFilters {
 public:
  MelFilters() = default;
  // Fails with: kInvalid where a triangle lies between two bins.
  MelFilters(size_t filters, double rate, double low, double high, size_t bins) {
    std::vector<double> corners(filters + 2);
    const double begin = mel(low), end = mel(high), steps = static_cast<double>(filters + 1);
    for (size_t i = 0; i < corners.size(); ++i)
      corners[i] = frequency(begin + (end - begin) * static_cast<double>(i) / steps);
    const double step = rate / 2 / static_cast<double>(bins - 1);
    for (size_t i = 0; i < filters; ++i) {
      Filter filter;
      const auto last = std::min(bins - 1, static_cast<size_t>(corners[i + 2] / step));
      for (auto bin = static_cast<size_t>(corners[i] / step); bin <= last; ++bin) {
        const double f = step * static_cast<double>(bin);
        const double rises = (f - corners[i]) / (corners[i + 1] - corners[i]),
                     falls = (corners[i + 2] - f) / (corners[i + 2] - corners[i + 1]);
        const double weight = std::min(rises, falls);
        if (weight <= 0) continue;
        if (filter.weights.empty()) filter.first = bin;
        filter.weights.push_back(weight);
      }
      if (filter.weights.empty())
        throw Error("filter ", i + 1, " of ", filters, ", ", corners[i], " to ", corners[i + 2],
                    " Hz, lies between two bins of the spectrum, which are ", step,
                    " Hz apart; wanted a longer window or fewer filters");
      filters_.push_back(std::move(filter));
    }
  }
  size_t count() const { return filters_.size(); }
  // log of the energy that filter i lets through, and of `floor` where that is less.
  double log_energy(size_t i, const double* power, double floor) const {
    const Filter& filter = filters_[i];
    double sum = 0;
    for (size_t k = 0; k < filter.weights.size(); ++k) sum += filter.weights[k] * power[filter.first + k];
    if (!(sum < std::numeric_limits<double>::infinity())) return sum;  // NaN is not hidden
    return steady::log(std::max(sum, floor));
  }

 private:
  struct Filter {
    size_t first = 0;  // bin
    std::vector<double> weights;
  };
  static constexpr double kMel = 1127.0104800703;  // 2595 / ln 10
  static double mel(double f) { return kMel * steady::log(1 + f / 700); }
  static double frequency(double mel) { return 700 * (steady::exp(mel / kMel) - 1); }

  std::vector<Filter> filters_;
};

// An augmenter that makes a row of each window of a sound: a base of its struct, as is Amount of pictures.
// The struct says how many columns a row has, and fills it:
//   size_t columns() const;                                // once open_rows was called, or from fields alone
//   void fill(const double* power, double* spare, Out row) const;
// Rows: windows begin at every `hop`-th sample, and the last one ends within the sound; of a sound shorter
// than a window there is one row, as if zeros followed.
template <class T>
struct SoundRows {
  std::string part = "sound";
  int64_t window = 512, hop = 256;

  void infer(Parts& parts) const {
    PartSpec& sound = sound_part(parts, part);
    sound.shape = {rows(sound.shape[0]), static_cast<int64_t>(self().columns())};
  }
  void open(Context&) { spectrum_ = PowerSpectrum(static_cast<size_t>(window)); }
  uint64_t workspace_bytes(Context&, int64_t) const {
    return (spectrum().workspace() + spectrum().bins() + self().spare()) * sizeof(double);
  }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    const int64_t samples = call.extent(part, 0), count = rows(samples);
    if (out.variable_axis() == 0) call.set_length(part, count);
    auto* const workspace = call.template workspace<double>();
    double* const power = workspace + spectrum().workspace();
    double* const spare = power + spectrum().bins();
    const float* const x = in.template data<float>().data();
    const size_t columns = self().columns();
    for (int64_t row = 0; row < count; ++row) {
      const int64_t begin = row * hop, end = std::min(samples, begin + window);
      spectrum()(x + begin, static_cast<size_t>(end - begin), workspace, power);
      self().fill(power, spare, out.f32().subspan(static_cast<size_t>(row) * columns, columns));
    }
  }

 protected:
  static size_t bins_of(int64_t window) {
    return std::max<size_t>(4, std::bit_ceil(static_cast<size_t>(window))) / 2 + 1;
  }
  static void window_fields(Describe<T>& d) {
    d.field("part", &T::part).doc("part of the sample");
    d.field("window", &T::window)
        .doc("samples of a row, weighed by a Hann window; zeros follow up to a power of two")
        .range(2, 65536)
        .unit("samples");
    d.field("hop", &T::hop)
        .doc("from one row's first sample to the next one's")
        .range(1, 65536)
        .unit("samples");
  }
  const PowerSpectrum& spectrum() const { return spectrum_; }
  // f64 of memory that fill wants.
  size_t spare() const { return 0; }

 private:
  const T& self() const { return static_cast<const T&>(*this); }
  int64_t rows(int64_t samples) const { return samples <= window ? 1 : 1 + (samples - window) / hop; }
  PowerSpectrum spectrum_;
};

// Rows of log energies of mel filters.
template <class T>
struct MelRows : SoundRows<T> {
  int64_t filters = 40;
  double rate = 16000, low = 20, high = 8000, floor = 1e-10;

  void validate() const {
    if (low >= high) throw Error("low is ", low, ", wanted below high, ", high);
    if (high > rate / 2) throw Error("high is ", high, ", above half of the rate, ", rate / 2);
    (void)made();
  }
  void open(Context& c) {
    SoundRows<T>::open(c);
    mel_ = made();
  }

 protected:
  static void mel_fields(Describe<T>& d) {
    SoundRows<T>::window_fields(d);
    d.field("rate", &T::rate).doc("of the sound").range(1, 1e6).unit("Hz");
    d.field("filters", &T::filters).doc("triangles on the mel scale").range(1, 1024);
    d.field("low", &T::low).doc("where the first one begins").range(0, 1e6).unit("Hz");
    d.field("high", &T::high)
        .doc("where the last one ends; half of the rate at most")
        .above(0)
        .at_most(1e6)
        .unit("Hz");
    d.field("floor", &T::floor).doc("energies below it count as it").above(0).at_most(1);
  }
  const MelFilters& mel() const { return mel_; }

 private:
  MelFilters made() const {
    return MelFilters(static_cast<size_t>(filters), rate, low, high, this->bins_of(this->window));
  }
  MelFilters mel_;
};

}  // namespace plait::sdk
