// Pictures in another light.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct PcaLighting : PictureAugmenter<PcaLighting> {
  static constexpr bool colored = true;
  double deviation = 0.1;
  std::vector<double> spread = {0.2175, 0.0188, 0.0045};
  std::vector<double> direction = {-0.5675, -0.5808, -0.5836, 0.7192, -0.0045,
                                   -0.6948, 0.4009,  -0.8140, 0.4203};

  static void describe(Describe<PcaLighting>& d) {
    d.doc("adds a random light along the main directions in which colours vary");
    d.details(
        "value + sum over i of n_i deviation spread_i direction_i of its channel, n_i normal; one light for "
        "all pixels.\n"
        "Shapes: the part [H, W, 3] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.\n"
        "Source: Krizhevsky, Sutskever, Hinton 2012, section 4.1; the defaults are those of ImageNet's "
        "colours.");
    fields(d);
    d.field("deviation", &PcaLighting::deviation).doc("standard deviation of n").range(0, 100);
    d.field("spread", &PcaLighting::spread)
        .doc("root of the variance along each direction, as a share of white")
        .range(0, 100);
    d.field("direction", &PcaLighting::direction)
        .doc("three directions, each of red, green and blue")
        .range(-1, 1);
  }

  void validate() const {
    if (spread.size() != 3) throw Error("spread has ", spread.size(), " values, wanted 3");
    if (direction.size() != 9) throw Error("direction has ", direction.size(), " values, wanted 9");
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    std::array<float, 3> light{};
    for (size_t i = 0; i < 3; ++i) {
      const double amount = random.normal(0, deviation) * spread[i];
      for (size_t c = 0; c < 3; ++c)
        light[c] += static_cast<float>(amount * direction[3 * i + c]) * kWhite<V>;
    }
    picture.each_colors([&](float* red, float* green, float* blue, size_t count) {
      add(red, count, light[0]), add(green, count, light[1]), add(blue, count, light[2]);
    });
  }

 private:
  PLAIT_FAST static void add(float* x, size_t count, float light) {
    for (size_t i = 0; i < count; ++i) x[i] += light;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.pca_lighting", "1.0.0", "Apache-2.0", augmenter<PcaLighting>("plait.pca_lighting"));
