// Plain loops of augmenters on the test device: every sample of a batch.
#pragma once
#include <array>
#include <cstring>

#include "device.h"

namespace plait::test_device {

struct FlipWork {
  const char* x;
  char* y;
  const plait_rng* rngs;
  size_t batch, height, width, pixel;  // pixel: bytes
  double horizontal, vertical;

  const char* run(const Access& real) const {
    const char* from = real(x);
    char* to = real(y);
    const plait_rng* const random = real(rngs);
    if (!from || !to || !random) return kForeign;
    for (size_t n = 0; n < batch; ++n, from += height * width * pixel, to += height * width * pixel) {
      sdk::Random drawn(random[n]);
      const bool across = drawn.chance(horizontal), down = drawn.chance(vertical);
      for (size_t i = 0; i < height; ++i)
        for (size_t j = 0; j < width; ++j)
          std::memcpy(to + (i * width + j) * pixel,
                      from + ((down ? height - 1 - i : i) * width + (across ? width - 1 - j : j)) * pixel,
                      pixel);
    }
    return nullptr;
  }
};

struct Flip {
  std::string part = "image";
  double horizontal = 0.5, vertical = 0;
  static void describe(sdk::Describe<Flip>& d) {
    d.doc("flip on the test device");
    d.field("part", &Flip::part).doc("part of the sample");
    d.field("horizontal", &Flip::horizontal).doc("chance that left and right are exchanged");
    d.field("vertical", &Flip::vertical).doc("chance that top and bottom are exchanged");
  }
  void apply_samples(sdk::Context& c, sdk::SamplesCall& call) const {
    const auto [in, out] = call.part(part);
    enqueue(c, FlipWork{static_cast<const char*>(in.raw()), static_cast<char*>(out.raw()), call.rngs(),
                        static_cast<size_t>(in.shape(0)), static_cast<size_t>(in.shape(1)),
                        static_cast<size_t>(in.shape(2)),
                        static_cast<size_t>(in.shape(3)) * sdk::size_of(in.dtype()), horizontal, vertical});
  }
};

struct NormalizeWork {
  static constexpr size_t kMost = 16;  // channels: the numbers travel with the work
  const void* x;
  float* y;
  size_t count, channels;
  sdk::DType type;
  std::array<float, kMost> factors, offsets;

  const char* run(const Access& real) const {
    const void* const in = real(static_cast<const char*>(x));
    float* const out = real(y);
    if (!in || !out) return kForeign;
    for (size_t i = 0; i < count; ++i) {
      const float value = type == sdk::DType::u8 ? static_cast<float>(static_cast<const uint8_t*>(in)[i])
                                                 : static_cast<const float*>(in)[i];
      out[i] = value * factors[i % channels] + offsets[i % channels];
    }
    return nullptr;
  }
};

struct Normalize {
  std::string part = "image";
  std::vector<double> mean = {0}, deviation = {1};
  double scale = 1.0 / 255;
  sdk::StageOutput from;
  static void describe(sdk::Describe<Normalize>& d) {
    d.doc("normalize on the test device");
    d.field("part", &Normalize::part).doc("part of the sample");
    d.field("mean", &Normalize::mean).doc("taken off after scale, per channel");
    d.field("deviation", &Normalize::deviation).doc("divided by after that, per channel");
    d.field("scale", &Normalize::scale).doc("of the numbers as they come");
    d.field("from", &Normalize::from).doc("stage that makes mean and deviation");
  }
  void open(sdk::Context&, const sdk::Parts&) {
    if (from || std::max(mean.size(), deviation.size()) > NormalizeWork::kMost)
      throw sdk::Unsupported("the test device takes up to ", NormalizeWork::kMost, " numbers of the file");
  }
  void apply_samples(sdk::Context& c, sdk::SamplesCall& call) const {
    const auto [in, out] = call.part(part);
    NormalizeWork work{
        in.raw(), out.f32().data(), in.size(), std::max(mean.size(), deviation.size()), in.dtype(), {}, {}};
    for (size_t i = 0; i < work.channels; ++i) {
      const double wide = deviation[i % deviation.size()];
      work.factors[i] = static_cast<float>(scale / wide);
      work.offsets[i] = static_cast<float>(-mean[i % mean.size()] / wide);
    }
    enqueue(c, work);
  }
};

}  // namespace plait::test_device
