// Pictures whose tones are made even here and there, and not too much.
#include <plait/picture_filter.hpp>

#include <array>

using namespace plait::sdk;

namespace {

constexpr size_t kTones = 256, kMostTiles = 64;

// Along one axis: tiles of `size` pixels; what the last of them has beyond the picture is its reflection.
struct Tiling {
  size_t extent, count, size;
  Tiling(size_t its_extent, size_t its_count)
      : extent(its_extent), count(its_count), size((its_extent + its_count - 1) / its_count) {}
};

// The two tiles whose middles a pixel lies between, and how near it is to the second.
struct Between {
  size_t first, second;
  float share;
  Between(size_t place, const Tiling& tiling) {
    const float at = static_cast<float>(place) / static_cast<float>(tiling.size) - 0.5f;
    const float whole = std::floor(at);
    share = at - whole;
    const auto tile = static_cast<int64_t>(whole), last = static_cast<int64_t>(tiling.count) - 1;
    first = static_cast<size_t>(std::max<int64_t>(0, tile));
    second = static_cast<size_t>(std::min(last, tile + 1));
  }
};

struct Clahe : PictureAmount<Clahe> {
  static constexpr double kLow = 1, kHigh = 4;
  int64_t tiles = 8;

  static void describe(Describe<Clahe>& d) {
    d.doc("makes the histogram of each part of a picture even, as far as no tone is raised too much");
    d.details(
        "The picture is cut into tiles by tiles. A tone becomes the share of the tile's pixels up to it, "
        "where none "
        "counts for more\n"
        "than the limit times as many as if all were as frequent; what is cut off is dealt out to all tones. "
        "Between "
        "the middles\n"
        "of tiles what they say is mixed by nearness. Of three channels brightness is changed, and all "
        "channels "
        "by as much; else\n"
        "each on its own. f32 by 256 tones.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.\n"
        "Source: Zuiderveld 1994, \"Contrast Limited Adaptive Histogram Equalization\"; as OpenCV has it.");
    fields(d, "smallest limit", "largest limit", 0.01, 1000);
    d.field("tiles", &Clahe::tiles).doc("along each axis").range(1, kMostTiles);
  }
  uint64_t picture_workspace(size_t height, size_t width, size_t) const {
    return static_cast<uint64_t>(tiles) * static_cast<uint64_t>(tiles) * kTones + height * width;
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const double limit = draw(random);
    if (picture.pixels() == 0) return;
    if (picture.channels == 3) return change_tones(picture, limit, Brightness<V>{});
    for (size_t c = 0; c < picture.channels; ++c) change_tones(picture, limit, Channel<V>{c});
  }

 private:
  template <class V>
  static constexpr float kUnit = 255 / kWhite<V>;  // from the picture's numbers to tones

  template <class V>
  struct Channel {
    size_t channel;
    float of(const V* pixel) const { return static_cast<float>(pixel[channel]) * kUnit<V>; }
    // Of f32 what is no number stays so.
    void put(const V* pixel, float, float tone, V* to) const {
      const float old = static_cast<float>(pixel[channel]);
      to[channel] = std::isnan(old) ? pixel[channel] : as_value<V>(tone / kUnit<V>);
    }
  };
  template <class V>
  struct Brightness {
    float of(const V* pixel) const {
      return grey_of(static_cast<float>(pixel[0]), static_cast<float>(pixel[1]),
                     static_cast<float>(pixel[2])) *
             kUnit<V>;
    }
    void put(const V* pixel, float old, float tone, V* to) const {
      const float more = (tone - old) / kUnit<V>;
      for (size_t c = 0; c < 3; ++c) to[c] = as_value<V>(static_cast<float>(pixel[c]) + more);
    }
  };

  template <class V, class Part>
  void change_tones(const Picture<V>& picture, double limit, const Part& values) const {
    auto* const tables = static_cast<uint8_t*>(picture.workspace);
    const auto count = static_cast<size_t>(tiles);
    uint8_t* const tones = tables + count * count * kTones;
    for (size_t i = 0; i < picture.height; ++i)
      for (size_t j = 0; j < picture.width; ++j)
        tones[i * picture.width + j] =
            as_value<uint8_t>(values.of(picture.x + i * picture.row + j * picture.channels));
    const Tiling down(picture.height, count), across(picture.width, count);
    for (size_t row = 0; row < count; ++row)
      for (size_t column = 0; column < count; ++column)
        make_table(tones, down, row, across, column, limit, tables + (row * count + column) * kTones);
    for (size_t i = 0; i < picture.height; ++i) {
      const Between rows(i, down);
      for (size_t j = 0; j < picture.width; ++j) {
        const Between columns(j, across);
        const size_t tone = tones[i * picture.width + j];
        const auto of = [&](size_t row, size_t column) {
          return static_cast<float>(tables[(row * count + column) * kTones + tone]);
        };
        const float above = of(rows.first, columns.first) * (1 - columns.share) +
                            of(rows.first, columns.second) * columns.share;
        const float below = of(rows.second, columns.first) * (1 - columns.share) +
                            of(rows.second, columns.second) * columns.share;
        const V* const from = picture.x + i * picture.row + j * picture.channels;
        values.put(from, values.of(from), above * (1 - rows.share) + below * rows.share,
                   picture.y + i * picture.row + j * picture.channels);
      }
    }
  }

  static void make_table(const uint8_t* tones, const Tiling& down, size_t row, const Tiling& across,
                         size_t column, double limit, uint8_t* table) {
    std::array<uint32_t, kTones> count{};
    for (size_t i = row * down.size; i < (row + 1) * down.size; ++i) {
      const uint8_t* const from = tones + detail::reflected(i, 0, down.extent) * across.extent;
      for (size_t j = column * across.size; j < (column + 1) * across.size; ++j)
        ++count[from[detail::reflected(j, 0, across.extent)]];
    }
    const double pixels = static_cast<double>(down.size) * static_cast<double>(across.size);
    cut_off(count,
            static_cast<uint32_t>(std::max(1.0, std::floor(std::min(pixels, limit * pixels / kTones)))));
    const auto each = static_cast<float>(255 / pixels);
    uint32_t sum = 0;
    for (size_t k = 0; k < kTones; ++k) {
      sum += count[k];
      table[k] = as_value<uint8_t>(static_cast<float>(sum) * each);
    }
  }

  // What is beyond `most` goes to all tones alike, the rest of it to some at equal distances.
  static void cut_off(std::array<uint32_t, kTones>& count, uint32_t most) {
    uint32_t beyond = 0;
    for (uint32_t& one : count) {
      if (one <= most) continue;
      beyond += one - most;
      one = most;
    }
    uint32_t rest = beyond % kTones;
    for (uint32_t& one : count) one += beyond / kTones;
    if (rest == 0) return;
    const size_t step = std::max<size_t>(1, kTones / rest);
    for (size_t k = 0; k < kTones && rest > 0; k += step, --rest) ++count[k];
  }
};

}  // namespace

PLAIT_PLUGIN("plait.clahe", "1.0.0", "Apache-2.0", augmenter<Clahe>("plait.clahe"));
