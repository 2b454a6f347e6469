// Pictures of what moved.
#include <plait/picture.hpp>
#include <plait/picture_filter.hpp>

using namespace plait::sdk;

namespace {

struct MotionBlur : PictureAmount<MotionBlur> {
  static constexpr double kLow = 3, kHigh = 7;

  static void describe(Describe<MotionBlur>& d) {
    d.doc("smooths a picture along a line of random length and direction");
    d.details(
        "Each value becomes the mean along a line about it, sampled each half pixel, bilinear between "
        "pixels; beyond the edge lies\n"
        "the picture's reflection, without the edge itself. All directions are as likely.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "shortest line", "longest line", 0, 99, "px");
  }

  uint64_t picture_workspace(size_t height, size_t width, size_t channels) const {
    return filter_workspace(height, width, channels, reach(high)) + sizeof(Line);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const double length = draw(random), angle = random.uniform(0, 3.141592653589793);
    auto& line = *static_cast<Line*>(picture.workspace);
    const size_t size = 2 * reach(length) + 1;
    std::fill_n(line.weight, size * size, 0.0f);
    const auto steps = static_cast<size_t>(2 * length) + 1;
    for (size_t i = 0; i < steps; ++i) {
      const double at =
          steps == 1 ? 0 : length * (static_cast<double>(i) / static_cast<double>(steps - 1) - 0.5);
      add(line, size, at * std::sin(angle), at * std::cos(angle), 1 / static_cast<double>(steps));
    }
    size_t taps = 0;
    for (size_t i = 0; i < size * size; ++i)
      if (line.weight[i] != 0) line.taps[taps++] = {i / size, i % size, line.weight[i]};
    Picture<V> after = picture;
    after.workspace = &line + 1;
    filter_by(after, reach(length), std::span<const Tap>(line.taps, taps));
  }

 private:
  static constexpr size_t kMostSize = 103;
  struct alignas(64) Line {
    float weight[kMostSize * kMostSize];
    Tap taps[4 * 2 * kMostSize];
  };
  static size_t reach(double length) { return static_cast<size_t>(std::ceil(length / 2)); }
  static void add(Line& line, size_t size, double y, double x, double weight) {
    const double middle = static_cast<double>(size / 2), row = std::floor(y), column = std::floor(x);
    const double down = y - row, right = x - column;
    const auto put = [&](double i, double j, double share) {
      if (share > 0)
        line.weight[static_cast<size_t>(middle + i) * size + static_cast<size_t>(middle + j)] +=
            static_cast<float>(weight * share);
    };
    put(row, column, (1 - down) * (1 - right)), put(row, column + 1, (1 - down) * right);
    put(row + 1, column, down * (1 - right)), put(row + 1, column + 1, down * right);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.motion_blur", "1.0.0", "Apache-2.0", augmenter<MotionBlur>("plait.motion_blur"));
