// Pictures as files, for the examples of `plait verify` and for tests.
#pragma once
#include <string>

#include "picture.h"

namespace plait::image_folder {

struct JpegForm {
  bool progressive = false;
  int orientation = 0;      // 0: without EXIF
  bool big_endian = false;  // of the EXIF
};
// Of 1, 3 or 4 channels, the last as CMYK in Adobe's way. Fails with: Error.
std::string encode_jpeg(const Picture& picture, const JpegForm& form = {});

struct PngForm {
  bool interlaced = false;
  int bits = 8;  // 16: each byte twice, which is the same brightness
};
// Of 1 to 4 channels: grey, grey with alpha, RGB, RGB with alpha. Fails with: Error.
std::string encode_png(const Picture& picture, const PngForm& form = {});

}  // namespace plait::image_folder
