// Pictures with grain.
#include <plait/noise.hpp>
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct GaussianNoise : PictureAmount<GaussianNoise> {
  static constexpr double kLow = 0, kHigh = 0.1;

  static void describe(Describe<GaussianNoise>& d) {
    d.doc("adds normal noise to each value of a picture");
    d.details(
        "value + n white, n of mean 0 and a deviation that is drawn for the sample.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest standard deviation, as a share of white", "largest standard deviation", 0, 10);
  }

  uint64_t picture_workspace(size_t height, size_t width, size_t channels) const {
    return height * width * channels * sizeof(float);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto deviation = static_cast<float>(draw(random)) * kWhite<V>;
    auto* const noise = static_cast<float*>(picture.workspace);
    fill_normals(random.split(0), noise, picture.pixels() * picture.channels);
    size_t at = 0;
    picture.each_run([&](const V* x, V* y, size_t count) {
      add(x, noise + at, y, count, deviation);
      at += count;
    });
  }

 private:
  PLAIT_FAST static void add(const uint8_t* x, const float* noise, uint8_t* y, size_t count,
                             float deviation) {
    for (size_t i = 0; i < count; ++i)
      y[i] = as_value<uint8_t>(static_cast<float>(x[i]) + deviation * noise[i]);
  }
  PLAIT_FAST static void add(const float* x, const float* noise, float* y, size_t count, float deviation) {
    for (size_t i = 0; i < count; ++i) y[i] = as_value<float>(x[i] + deviation * noise[i]);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.gaussian_noise_augmenter", "1.0.0", "Apache-2.0",
             augmenter<GaussianNoise>("plait.gaussian_noise"));
