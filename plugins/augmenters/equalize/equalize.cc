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
    for (size_t c = 0; c < picture.channels; ++c) {
      std::array<size_t, 256> count{};
      picture.each_of(c, [&](V x, V&) { ++count[tone(x)]; });
      const std::array<uint8_t, 256> table = evened(count, picture.pixels());
      picture.each_of(
          c, [&](V x, V& y) { y = as_value<V>(static_cast<float>(table[tone(x)]) * (kWhite<V> / 255)); });
    }
  }

 private:
  template <class V>
  static size_t tone(V x) {
    return std::is_same_v<V, uint8_t> ? static_cast<size_t>(x)
                                      : as_value<uint8_t>(static_cast<float>(x) * 255);
  }
  // Each tone by the share of pixels up to it, of those above the lowest tone.
  static std::array<uint8_t, 256> evened(const std::array<size_t, 256>& count, size_t pixels) {
    std::array<uint8_t, 256> table;
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
