// JPEG and PNG, through libjpeg-turbo and libpng, and what is done to a picture after that.
#include "picture.h"

#include <plait/sdk/error.hpp>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plait::image_folder;
  constexpr int64_t kMostPixels = 1 << 18;
  try {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const Picture header = decode(bytes, "file", kMostPixels, Wanted::kHeader);
    Picture picture = decode(bytes, "file", kMostPixels, Wanted::kPixels);
    if (picture.height != header.height || picture.width != header.width) __builtin_trap();
    picture = with_channels(resized(picture, middle_of(picture, 5, 7), 5, 7), 1);
    if (picture.pixels.size() != 35) __builtin_trap();
  } catch (const plait::sdk::Error&) {
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
