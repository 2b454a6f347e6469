#include <plait/sdk.hpp>

#include "picture.h"

namespace plait::image_folder {
namespace {

std::string beginning(const std::string& bytes) {
  std::string digits;
  for (size_t i = 0; i < bytes.size() && i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    digits += i > 0 ? " " : "";
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

}  // namespace

void check_extents(const std::string& path, int64_t height, int64_t width, int64_t most_pixels) {
  if (height < 1 || width < 1)
    throw sdk::BadRecord(path, ": has ", height, " x ", width, " pixels, wanted at least 1 x 1");
  if (height > most_pixels / width)
    throw sdk::BadRecord(path, ": has ", height, " x ", width, " pixels, wanted at most ", most_pixels,
                         " (max_pixels)");
}

Picture decode(const std::string& bytes, const std::string& path, int64_t most_pixels, Wanted wanted) {
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, path, most_pixels, wanted);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, path, most_pixels, wanted);
  if (bytes.empty()) throw sdk::BadRecord(path, ": has 0 bytes, wanted JPEG or PNG");
  throw sdk::BadRecord(path, ": begins with bytes ", beginning(bytes),
                       ", wanted JPEG (ff d8 ff) or PNG (89 50 4e 47)");
}

}  // namespace plait::image_folder
