// JPEG by libjpeg-turbo. Its errors end in a jump back to the reader's own function, in which nothing with a
// destructor lives; what they say is thrown from there.
#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>
#include <plait/sdk.hpp>

#include "picture.h"

namespace plait::image_folder {
namespace {

constexpr int kMostScans = 200;  // of a progressive file: each is a pass over the picture
constexpr int kExif = JPEG_APP0 + 1;

class JpegReader {
 public:
  explicit JpegReader(const std::string& bytes) : bytes_(bytes) {
    c_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = &JpegReader::stop;
    errors_.manager.emit_message = &JpegReader::warn;
    progress_.progress_monitor = &JpegReader::watch;
  }
  ~JpegReader() { jpeg_destroy_decompress(&c_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  // False: message() says why.
  bool read_header() {
    if (setjmp(errors_.back)) return false;
    jpeg_create_decompress(&c_);
    c_.progress = &progress_;
    jpeg_mem_src(&c_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
    jpeg_save_markers(&c_, kExif, 0xffff);
    jpeg_read_header(&c_, TRUE);
    c_.out_color_space = color();
    return true;
  }
  // Into `pixels`, of height() x width() x stored_channels() bytes.
  bool read_pixels(uint8_t* pixels) {
    if (setjmp(errors_.back)) return false;
    jpeg_start_decompress(&c_);
    while (c_.output_scanline < c_.output_height) {
      JSAMPROW row =
          pixels + size_t{c_.output_scanline} * c_.output_width * static_cast<size_t>(c_.output_components);
      jpeg_read_scanlines(&c_, &row, 1);
    }
    jpeg_finish_decompress(&c_);
    return true;
  }

  const char* message() const { return errors_.message; }
  int64_t height() const { return c_.image_height; }
  int64_t width() const { return c_.image_width; }
  int64_t stored_channels() const {
    return c_.out_color_space == JCS_GRAYSCALE ? 1 : c_.out_color_space == JCS_CMYK ? 4 : 3;
  }
  // Adobe's programs write CMYK so that 255 is no ink.
  bool inverted() const { return c_.saw_Adobe_marker; }
  int orientation() const {
    for (const jpeg_marker_struct* marker = c_.marker_list; marker; marker = marker->next)
      if (marker->marker == kExif) return exif_orientation({marker->data, marker->data_length});
    return 1;
  }

 private:
  struct Errors {
    jpeg_error_mgr manager;  // first: libjpeg knows its address alone
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
  };

  J_COLOR_SPACE color() const {
    if (c_.jpeg_color_space == JCS_GRAYSCALE) return JCS_GRAYSCALE;
    return c_.jpeg_color_space == JCS_CMYK || c_.jpeg_color_space == JCS_YCCK ? JCS_CMYK : JCS_RGB;
  }
  [[noreturn]] static void stop(j_common_ptr c) {
    auto* const errors = reinterpret_cast<Errors*>(c->err);
    errors->manager.format_message(c, errors->message);
    longjmp(errors->back, 1);
  }
  // Of what libjpeg would go on from, only this leaves every pixel as it was meant.
  static void warn(j_common_ptr c, int level) {
    const int code = c->err->msg_code;
    const bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM;
    if (level < 0 && !harmless) stop(c);
  }
  static void watch(j_common_ptr c) {
    const int scans = reinterpret_cast<j_decompress_ptr>(c)->input_scan_number;
    if (scans <= kMostScans) return;
    auto* const errors = reinterpret_cast<Errors*>(c->err);
    std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMostScans);
    longjmp(errors->back, 1);
  }

  const std::string& bytes_;
  jpeg_decompress_struct c_{};
  jpeg_progress_mgr progress_{};
  Errors errors_{};
};

uint8_t without_ink(int color, int black) { return static_cast<uint8_t>((color * black + 127) / 255); }

Picture from_cmyk(const Picture& inks, bool inverted) {
  Picture picture{inks.height, inks.width, 3, {}};
  picture.pixels.reserve(inks.pixels.size() / 4 * 3);
  for (size_t at = 0; at < inks.pixels.size(); at += 4) {
    const auto light = [&](size_t i) { return inverted ? inks.pixels[at + i] : 255 - inks.pixels[at + i]; };
    for (size_t i = 0; i < 3; ++i) picture.pixels.push_back(without_ink(light(i), light(3)));
  }
  return picture;
}

}  // namespace

Picture decode_jpeg(const std::string& bytes, const std::string& path, int64_t most_pixels, Wanted wanted) {
  JpegReader reader(bytes);
  if (!reader.read_header()) throw sdk::BadRecord(path, ": damaged JPEG: ", reader.message());
  check_extents(path, reader.height(), reader.width(), most_pixels);
  Picture picture{reader.height(), reader.width(), reader.stored_channels(), {}};
  const int orientation = reader.orientation();
  if (wanted == Wanted::kPixels) {
    picture.pixels.resize(static_cast<size_t>(picture.height * picture.width * picture.channels));
    if (!reader.read_pixels(picture.pixels.data()))
      throw sdk::BadRecord(path, ": damaged JPEG: ", reader.message());
  }
  if (picture.channels == 4) picture = from_cmyk(picture, reader.inverted());
  return upright(std::move(picture), orientation);
}

}  // namespace plait::image_folder
