// Pictures as files, for the examples of `plait verify` and for tests.
#pragma once
#include <string>
#include <vector>

#include "picture.h"

namespace plait::image_folder {

struct JpegForm {
  bool progressive = false;
  int orientation = 0;      // 0: without EXIF
  bool big_endian = false;  // of the EXIF
  bool adobe = true;        // its mark on CMYK: 255 is no ink
};
// Of 1, 3 or 4 channels, the last as CMYK. Fails with: Error.
std::string encode_jpeg(const Picture& picture, const JpegForm& form = {});

struct PngForm {
  bool interlaced = false;
  int bits = 8;  // 16: each byte twice, which is the same brightness; 1, 2, 4: grey below 2^bits
  std::vector<uint8_t> palette = {};  // red, green, blue of each number of a picture of one channel
};
// Of 1 to 4 channels: grey, grey with alpha, RGB, RGB with alpha. Fails with: Error.
std::string encode_png(const Picture& picture, const PngForm& form = {});

}  // namespace plait::image_folder
