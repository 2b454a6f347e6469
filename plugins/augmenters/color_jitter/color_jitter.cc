// Brightness, contrast, saturation and hue, in an order drawn for each sample.
#include <plait/color.hpp>
#include <plait/picture.hpp>

#include <span>

using namespace plait::sdk;

namespace {

// Planes of one channel each, 0 .. white.
struct Planes {
  float *red, *green, *blue;
  size_t count;
  float white;
};

PLAIT_INLINE float within(float x, float white) {
  const float above = chosen(x < 0, 0.0f, x);
  return chosen(above > white, white, above);
}

PLAIT_FAST void line(float* x, size_t count, float factor, float offset, float white) {
  for (size_t i = 0; i < count; ++i) x[i] = within(x[i] * factor + offset, white);
}
PLAIT_FAST void saturate(float* red, float* green, float* blue, size_t count, float factor, float white) {
  for (size_t i = 0; i < count; ++i) {
    const float grey = grey_of(red[i], green[i], blue[i]);
    red[i] = within(grey + factor * (red[i] - grey), white);
    green[i] = within(grey + factor * (green[i] - grey), white);
    blue[i] = within(grey + factor * (blue[i] - grey), white);
  }
}
PLAIT_FAST double sum(const float* x, size_t count) { return sum_of(x, count); }

struct ColorJitter : PictureAugmenter<ColorJitter> {
  double brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0.1;

  static void describe(Describe<ColorJitter>& d) {
    d.doc("changes brightness, contrast, saturation and hue of a picture by random amounts, in random order");
    d.details(
        "The factor of brightness is even over max(0, 1 - brightness) .. 1 + brightness, those of contrast "
        "and\n"
        "saturation likewise; the turn of the hue over -hue .. hue. What each does: see the augmenters of "
        "these names.\n"
        "Between them values stay between black and white, and are not rounded.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in. "
        "Of other than "
        "three\n"
        "channels saturation and hue have to be 0.");
    fields(d);
    d.field("brightness", &ColorJitter::brightness).doc("largest change of the factor").range(0, 100);
    d.field("contrast", &ColorJitter::contrast).doc("largest change of the factor").range(0, 100);
    d.field("saturation", &ColorJitter::saturation).doc("largest change of the factor").range(0, 100);
    d.field("hue", &ColorJitter::hue).doc("largest turn either way").range(0, 0.5).unit("turn");
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {5, 4, 3}, "image");
    e.add().input(DType::f32, {4, 7, 3}, "image", 0, 1);
    e.add("saturation: 0 hue: 0").input(DType::u8, {9, 8, 1}, "image");
  }

  void infer(Parts& parts) const {
    PictureAugmenter<ColorJitter>::infer(parts);
    const PartSpec& image = parts.part(part);
    if (image.shape[2] == 3 || (saturation == 0 && hue == 0)) return;
    throw Error("part \"", part, "\" is ", name_of(image.dtype), std::span<const int64_t>(image.shape),
                ", wanted [H, W, 3] for saturation ", saturation, " and hue ", hue, ": set both to 0");
  }
  uint64_t picture_workspace(size_t height, size_t width, size_t channels) const {
    return height * width * channels * sizeof(float);
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    // All are drawn whatever the amounts, so that changing one leaves the others as they were.
    const double light = random.uniform(std::max(0.0, 1 - brightness), 1 + brightness);
    const double steep = random.uniform(std::max(0.0, 1 - contrast), 1 + contrast);
    const double strong = random.uniform(std::max(0.0, 1 - saturation), 1 + saturation);
    const double turned = random.uniform(-hue, hue);
    std::array<uint8_t, 4> order = {0, 1, 2, 3};
    random.shuffle(std::span<uint8_t>(order));

    const size_t pixels = picture.pixels();
    const size_t all = pixels * picture.channels;
    auto* const values = static_cast<float*>(picture.workspace);
    const bool colors = picture.channels == 3;
    const Planes planes{values, values + pixels, values + 2 * pixels, pixels, kWhite<V>};
    size_t at = 0;
    picture.each_run([&](const V* x, V*, size_t count) {
      if (colors) {
        load_colors(x, count / 3, planes.red + at, planes.green + at, planes.blue + at);
        at += count / 3;
      } else {
        detail::from_values(x, values + at, count);
        at += count;
      }
    });
    for (const uint8_t step : order) {
      if (step == 0 && brightness > 0) line(values, all, static_cast<float>(light), 0, kWhite<V>);
      if (step == 1 && contrast > 0) {
        const double mean = colors ? mean_of(planes) : sum(values, all) / static_cast<double>(all);
        line(values, all, static_cast<float>(steep), static_cast<float>((1 - steep) * mean), kWhite<V>);
      }
      if (step == 2 && saturation > 0)
        saturate(planes.red, planes.green, planes.blue, pixels, static_cast<float>(strong), kWhite<V>);
      if (step == 3 && hue > 0)
        turn_hues(planes.red, planes.green, planes.blue, pixels, static_cast<float>(6 * turned));
    }
    at = 0;
    picture.each_run([&](const V*, V* y, size_t count) {
      if (colors) {
        store_colors(planes.red + at, planes.green + at, planes.blue + at, count / 3, y);
        at += count / 3;
      } else {
        detail::to_values(values + at, y, count);
        at += count;
      }
    });
  }

 private:
  static double mean_of(const Planes& of) {
    const double total =
        0.299 * sum(of.red, of.count) + 0.587 * sum(of.green, of.count) + 0.114 * sum(of.blue, of.count);
    return total / static_cast<double>(of.count);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.color_jitter", "1.0.0", "Apache-2.0", augmenter<ColorJitter>("plait.color_jitter"));
