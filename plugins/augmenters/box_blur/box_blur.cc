// Pictures out of focus.
#include <plait/picture.hpp>
#include <plait/picture_filter.hpp>

using namespace plait::sdk;

namespace {

struct BoxBlur : PictureAugmenter<BoxBlur> {
  int64_t low = 3, high = 5;

  static void describe(Describe<BoxBlur>& d) {
    d.doc("smooths a picture by the mean of a square of random size");
    d.details(
        "Each value becomes the mean of a square around it, of low to high pixels, odd; beyond the edge lies "
        "the picture's\n"
        "reflection, without the edge itself.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d);
    d.field("low", &BoxBlur::low).doc("smallest edge of the square, odd").range(1, kMost).unit("px");
    d.field("high", &BoxBlur::high).doc("largest edge of the square, odd").range(1, kMost).unit("px");
  }

  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
    if (low % 2 == 0 || high % 2 == 0)
      throw Error("low is ", low, " and high ", high, ", wanted odd numbers");
  }
  uint64_t picture_workspace(size_t height, size_t width, size_t channels) const {
    return filter_workspace(height, width, channels, static_cast<size_t>(high) / 2);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto size = static_cast<size_t>(low + 2 * random.integer(0, (high - low) / 2));
    std::array<float, kMost> taps;
    taps.fill(1 / static_cast<float>(size));
    filter_both_ways(picture, std::span<const float>(taps).first(size));
  }

 private:
  static constexpr size_t kMost = 255;
};

}  // namespace

PLAIT_PLUGIN("plait.box_blur", "1.0.0", "Apache-2.0", augmenter<BoxBlur>("plait.box_blur"));
