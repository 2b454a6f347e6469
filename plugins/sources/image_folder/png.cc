// PNG by libpng. Its errors end in a jump, as those of libjpeg do: see jpeg.cc.
#include <png.h>

#include <plait/sdk.hpp>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "picture.h"

namespace plait::image_folder {
namespace {

class PngReader {
 public:
  explicit PngReader(const std::string& bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &PngReader::stop, &PngReader::warn);
    if (png_) info_ = png_create_info_struct(png_);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // False: message() says why.
  bool read_header() {
    if (!info_) return false;
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_read_fn(png_, this, &PngReader::next);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_extents looks at both together
    png_read_info(png_, info_);
    return true;
  }
  // To 8 bits of 1 or 3 channels.
  bool begin_pixels() {
    if (setjmp(png_jmpbuf(png_))) return false;
    const int color = png_get_color_type(png_, info_);
    if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read_pixels(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  const char* message() const { return message_; }
  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t channels() const { return png_get_channels(png_, info_); }
  size_t row_bytes() const { return png_get_rowbytes(png_, info_); }

 private:
  [[noreturn]] static void stop(png_structp png, png_const_charp what) {
    auto* const self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(self->message_, sizeof self->message_, "%s", what);
    png_longjmp(png, 1);
  }
  static void warn(png_structp, png_const_charp) {}
  static void next(png_structp png, png_bytep into, size_t count) {
    auto* const self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self->bytes_.size() - self->place_) png_error(png, "ends early");
    std::memcpy(into, self->bytes_.data() + self->place_, count);
    self->place_ += count;
  }

  const std::string& bytes_;
  size_t place_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  char message_[256] = "out of memory";
};

}  // namespace

Picture decode_png(const std::string& bytes, const std::string& path, int64_t most_pixels, Wanted wanted) {
  PngReader reader(bytes);
  const auto demand = [&](bool is_done) {
    if (!is_done) throw sdk::BadRecord(path, ": damaged PNG: ", reader.message());
  };
  demand(reader.read_header());
  check_extents(path, reader.height(), reader.width(), most_pixels);
  demand(reader.begin_pixels());
  Picture picture{reader.height(), reader.width(), reader.channels(), {}};
  const auto row_bytes = static_cast<size_t>(picture.width * picture.channels);
  if ((picture.channels != 1 && picture.channels != 3) || reader.row_bytes() != row_bytes)
    throw sdk::BadRecord(path, ": PNG of ", picture.channels, " channels, wanted 1 or 3");
  if (wanted == Wanted::kHeader) return picture;
  picture.pixels.resize(static_cast<size_t>(picture.height) * row_bytes);
  std::vector<png_bytep> rows;
  for (int64_t y = 0; y < picture.height; ++y)
    rows.push_back(picture.pixels.data() + static_cast<size_t>(y) * row_bytes);
  demand(reader.read_pixels(rows.data()));
  return picture;
}

}  // namespace plait::image_folder
