#include <plait/sdk.hpp>

#include <algorithm>
#include <cstring>

#include "picture.h"

namespace plait::image_folder {
namespace {

constexpr uint16_t kOrientationTag = 0x0112, kShort = 3;
constexpr size_t kEntryBytes = 12;

// Numbers of a TIFF structure; 0 beyond its end, which no field that is looked for has.
struct Tiff {
  std::span<const uint8_t> bytes;
  bool big_endian;

  uint32_t number(size_t at, size_t count) const {
    if (at > bytes.size() || count > bytes.size() - at) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + (big_endian ? i : count - 1 - i)];
    return value;
  }
  uint16_t half(size_t at) const { return static_cast<uint16_t>(number(at, 2)); }
};

}  // namespace

int exif_orientation(std::span<const uint8_t> exif) {
  if (exif.size() < 14 || std::memcmp(exif.data(), "Exif\0", 6) != 0) return 1;
  const auto bytes = exif.subspan(6);
  const bool big = bytes[0] == 'M' && bytes[1] == 'M';
  if (!big && !(bytes[0] == 'I' && bytes[1] == 'I')) return 1;
  const Tiff tiff{bytes, big};
  if (tiff.half(2) != 42) return 1;
  const size_t folder = tiff.number(4, 4);
  const size_t entries = tiff.half(folder);
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = folder + 2 + i * kEntryBytes;
    if (tiff.half(at) != kOrientationTag || tiff.half(at + 2) != kShort) continue;
    const int value = tiff.half(at + 8);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

// From 5 on rows and columns are exchanged. Where a pixel comes from: source row and column from the end or
// not.
Picture upright(Picture picture, int orientation) {
  if (orientation == 1) return picture;
  const bool exchanged = orientation >= 5;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Picture turned{picture.height, picture.width, picture.channels, {}};
  if (exchanged) std::swap(turned.height, turned.width);
  turned.pixels.reserve(picture.pixels.size());
  if (picture.pixels.empty()) return turned;
  for (int64_t y = 0; y < turned.height; ++y) {
    for (int64_t x = 0; x < turned.width; ++x) {
      int64_t row = exchanged ? x : y, column = exchanged ? y : x;
      if (from_bottom) row = picture.height - 1 - row;
      if (from_right) column = picture.width - 1 - column;
      const uint8_t* const pixel = picture.pixels.data() + (row * picture.width + column) * picture.channels;
      turned.pixels.insert(turned.pixels.end(), pixel, pixel + picture.channels);
    }
  }
  return turned;
}

Picture with_channels(Picture picture, int64_t channels) {
  if (picture.channels == channels) return picture;
  Picture made{picture.height, picture.width, channels, {}};
  made.pixels.reserve(static_cast<size_t>(made.height * made.width * channels));
  if (channels == 3) {
    for (const uint8_t grey : picture.pixels) made.pixels.insert(made.pixels.end(), 3, grey);
    return made;
  }
  for (size_t at = 0; at < picture.pixels.size(); at += 3) {
    const uint8_t* const rgb = picture.pixels.data() + at;
    made.pixels.push_back(
        static_cast<uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16));
  }
  return made;
}

}  // namespace plait::image_folder
