// Negatives of pictures.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Invert : PictureAugmenter<Invert> {
  static void describe(Describe<Invert>& d) {
    d.doc("makes black white and white black");
    d.details(
        "white - value. Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out "
        "as it goes in.");
    fields(d);
  }
  template <class V>
  void change(Random&, const Picture<V>& picture) const {
    picture.each_run([](const V* x, V* y, size_t count) { subtract(x, y, count); });
  }

 private:
  PLAIT_FAST static void subtract(const uint8_t* x, uint8_t* y, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = static_cast<uint8_t>(~x[i]);
  }
  PLAIT_FAST static void subtract(const float* x, float* y, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = as_value<float>(1 - x[i]);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.invert", "1.0.0", "Apache-2.0", augmenter<Invert>("plait.invert"));
