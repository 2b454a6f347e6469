// A decoded picture, and what is done to it before it is a record.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace plait::image_folder {

// Shapes: pixels [height, width, channels]; channels: 1 grey, 3 red green blue.
struct Picture {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;  // empty where only the header was asked for
};

enum class Wanted { kHeader, kPixels };

// A JPEG or PNG file by its content, upright (EXIF orientation of a JPEG is applied), 8 bits a channel:
// palettes and CMYK become RGB, 16 bits are rounded to 8, transparency is left out. Of an animation the first
// picture. `path` names it in messages. Fails with: BadRecord for anything else, data that end early or are
// damaged, and more than `most_pixels` pixels, which are refused before any is decoded. Threads: [any]
Picture decode(const std::string& bytes, const std::string& path, int64_t most_pixels, Wanted wanted);

// The two formats. `bytes` begin with their mark.
Picture decode_jpeg(const std::string& bytes, const std::string& path, int64_t most_pixels, Wanted wanted);
Picture decode_png(const std::string& bytes, const std::string& path, int64_t most_pixels, Wanted wanted);
// Fails with: BadRecord, see decode.
void check_extents(const std::string& path, int64_t height, int64_t width, int64_t most_pixels);

// 1 to 8 as EXIF counts them; 1, as it lies, where `exif` (the content of a JPEG's APP1 segment) does not
// say. Source: CIPA DC-008 (Exif 2.3), tag 0x0112.
int exif_orientation(std::span<const uint8_t> exif);
// The picture as it is to be looked at; one without pixels gets its extents.
Picture upright(Picture picture, int orientation);

// The rectangle of a picture, not of whole pixels, that becomes a record.
struct Region {
  double top, left, height, width;
};
Region whole_of(const Picture& picture);
// The largest in the middle whose edges are to one another as height to width.
Region middle_of(const Picture& picture, int64_t height, int64_t width);
// Each pixel is the mean of those of the region around it, by nearness: bilinear where it grows, a triangle
// as wide as the factor where it shrinks. Weights are whole numbers of 16,384ths, so that no order of
// summation matters.
Picture resized(const Picture& picture, const Region& region, int64_t height, int64_t width);

// Grey repeated, or colours to grey by their brightness. Source: ITU-R BT.601, luma of 0.299, 0.587, 0.114.
Picture with_channels(Picture picture, int64_t channels);

}  // namespace plait::image_folder
