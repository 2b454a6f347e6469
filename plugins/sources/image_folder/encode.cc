#include "encode.h"

#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <png.h>
#include <plait/sdk.hpp>

#include <cstdlib>

namespace plait::image_folder {
namespace {

struct JpegErrors {
  jpeg_error_mgr manager;
  jmp_buf back;
};

// A TIFF structure of one entry, after the mark of EXIF.
std::string exif(const JpegForm& form) {
  std::string bytes("Exif\0\0", 6);
  const auto number = [&](uint32_t value, int count) {
    for (int i = 0; i < count; ++i)
      bytes += static_cast<char>(value >> 8 * (form.big_endian ? count - 1 - i : i));
  };
  bytes += form.big_endian ? "MM" : "II";
  number(42, 2), number(8, 4), number(1, 2);
  number(0x0112, 2), number(3, 2), number(1, 4);
  number(static_cast<uint32_t>(form.orientation), 2), number(0, 2), number(0, 4);
  return bytes;
}

bool compress(jpeg_compress_struct& c, JpegErrors& errors, const Picture& picture, const JpegForm& form,
              const std::string& marker, unsigned char** bytes, unsigned long* size) {
  if (setjmp(errors.back)) return false;
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, bytes, size);
  c.image_height = static_cast<JDIMENSION>(picture.height);
  c.image_width = static_cast<JDIMENSION>(picture.width);
  c.input_components = static_cast<int>(picture.channels);
  c.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : picture.channels == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, 100, TRUE);
  for (int i = 0; i < c.num_components; ++i)
    c.comp_info[i].h_samp_factor = c.comp_info[i].v_samp_factor = 1;  // colours as fine as brightness
  if (!form.adobe) c.write_Adobe_marker = FALSE;
  if (form.progressive) jpeg_simple_progression(&c);
  jpeg_start_compress(&c, TRUE);
  if (form.orientation > 0)
    jpeg_write_marker(&c, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(marker.data()),
                      static_cast<unsigned>(marker.size()));
  while (c.next_scanline < c.image_height) {
    auto* row = const_cast<JSAMPROW>(picture.pixels.data()) +
                size_t{c.next_scanline} * c.image_width * static_cast<size_t>(c.input_components);
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  return true;
}

void add_bytes(png_structp png, png_bytep bytes, size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}

bool write_png(png_structp png, png_infop info, const Picture& picture, const PngForm& form,
               png_bytepp rows) {
  constexpr int kColors[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                             PNG_COLOR_TYPE_RGB_ALPHA};
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width), static_cast<png_uint_32>(picture.height),
               form.bits, form.palette.empty() ? kColors[picture.channels - 1] : PNG_COLOR_TYPE_PALETTE,
               form.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (!form.palette.empty())
    png_set_PLTE(png, info, reinterpret_cast<png_const_colorp>(form.palette.data()),
                 static_cast<int>(form.palette.size() / 3));
  png_write_info(png, info);
  png_set_packing(png);
  png_write_image(png, rows);
  png_write_end(png, info);
  return true;
}

}  // namespace

std::string encode_jpeg(const Picture& picture, const JpegForm& form) {
  jpeg_compress_struct c{};
  JpegErrors errors{};
  c.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = [](j_common_ptr common) {
    longjmp(reinterpret_cast<JpegErrors*>(common->err)->back, 1);
  };
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool is_done = compress(c, errors, picture, form, exif(form), &bytes, &size);
  jpeg_destroy_compress(&c);
  std::string made(reinterpret_cast<const char*>(bytes), bytes ? size : 0);
  std::free(bytes);
  if (!is_done) throw sdk::Error("a JPEG cannot be written");
  return made;
}

std::string encode_png(const Picture& picture, const PngForm& form) {
  Picture wide = picture;
  if (form.bits == 16) {
    wide.pixels.clear();
    for (const uint8_t byte : picture.pixels) wide.pixels.insert(wide.pixels.end(), 2, byte);
  }
  const size_t row_bytes = static_cast<size_t>(picture.width * picture.channels * (form.bits == 16 ? 2 : 1));
  std::vector<png_bytep> rows;
  for (size_t y = 0; y < static_cast<size_t>(picture.height); ++y)
    rows.push_back(wide.pixels.data() + y * row_bytes);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  std::string bytes;
  if (info) png_set_write_fn(png, &bytes, &add_bytes, nullptr);
  const bool is_done = info && write_png(png, info, picture, form, rows.data());
  png_destroy_write_struct(&png, &info);
  if (!is_done) throw sdk::Error("a PNG cannot be written");
  return bytes;
}

}  // namespace plait::image_folder
