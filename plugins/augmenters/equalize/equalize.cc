// Pictures in which all tones are as frequent.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Equalize : PictureAugmenter<Equalize> {
  static void describe(Describe<Equalize>& d) {
    d.doc("gives each channel of a picture an even histogram");
    d.details(
        "A value becomes the share of the channel's pixels up to it, not counting those of the lowest value, "
        "times white; "
        "a channel\n"
        "of one value stays. f32 by 256 tones.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d);
  }

  template <class V>
  void change(Random&, const Picture<V>& picture) const {
    if (picture.channels == 1) return even_out<1>(picture);
    if (picture.channels == 3) return even_out<3>(picture);
    for (size_t c = 0; c < picture.channels; ++c) {
      std::array<uint32_t, 256> count{};
      picture.each_of(c, [&](V x, V&) { ++count[tone(x)]; });
      const ByteTable table = evened(count, picture.pixels());
      picture.each_of(c, [&](V x, V& y) { y = value(table[tone(x)], x); });
    }
  }

 private:
  template <size_t channels, class V>
  static void even_out(const Picture<V>& picture) {
    // In turns into two counts: adding to the one that was just stored would wait for it.
    uint32_t count[2][channels][256] = {};
    picture.each_run([&](const V* x, V*, size_t values) {
      size_t i = 0;
      for (; i + 2 * channels <= values; i += 2 * channels) {
#pragma GCC unroll 6
        for (size_t c = 0; c < 2 * channels; ++c) ++count[c / channels][c % channels][tone(x[i + c])];
      }
      for (size_t c = 0; i + c < values; ++c) ++count[0][c][tone(x[i + c])];
    });
    std::array<ByteTable, channels> table;
    for (size_t c = 0; c < channels; ++c) {
      std::array<uint32_t, 256> sum;
      for (size_t k = 0; k < 256; ++k) sum[k] = count[0][c][k] + count[1][c][k];
      table[c] = evened(sum, picture.pixels());
    }
    picture.each_run([&](const V* x, V* y, size_t values) {
      for (size_t i = 0; i < values; i += channels) {
#pragma GCC unroll 3
        for (size_t c = 0; c < channels; ++c) y[i + c] = value(table[c][tone(x[i + c])], x[i + c]);
      }
    });
  }
  // Of f32 what is no number stays so.
  static uint8_t value(uint8_t tone, uint8_t) { return tone; }
  static float value(uint8_t tone, float x) { return std::isnan(x) ? x : static_cast<float>(tone) / 255; }
  template <class V>
  static size_t tone(V x) {
    return std::is_same_v<V, uint8_t> ? static_cast<size_t>(x)
                                      : as_value<uint8_t>(static_cast<float>(x) * 255);
  }
  // Each tone by the share of pixels up to it, of those above the lowest tone.
  static ByteTable evened(const std::array<uint32_t, 256>& count, size_t pixels) {
    ByteTable table;
    for (size_t i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i);
    size_t first = 0;
    while (first < 255 && count[first] == 0) ++first;
    if (count[first] == pixels) return table;
    const float each = 255.0f / static_cast<float>(pixels - count[first]);
    size_t above = 0;
    table[first] = 0;
    for (size_t i = first + 1; i < 256; ++i) {
      above += count[i];
      table[i] = as_value<uint8_t>(static_cast<float>(above) * each);
    }
    return table;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.equalize", "1.0.0", "Apache-2.0", augmenter<Equalize>("plait.equalize"));
