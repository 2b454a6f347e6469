// Pictures as JPEG leaves them. libjpeg's errors end in a jump back to the codec's own function, in which
// nothing with a destructor lives; what they say is thrown from there.
#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <plait/picture.hpp>

#include <cmath>
#include <cstdlib>

using namespace plait::sdk;

namespace {

constexpr int64_t kMostEdge = 65500;  // of libjpeg

struct Errors {
  jpeg_error_mgr manager;  // first: libjpeg knows its address alone
  jmp_buf back;
  char message[JMSG_LENGTH_MAX];

  jpeg_error_mgr* begin() {
    jpeg_std_error(&manager);
    manager.error_exit = [](j_common_ptr c) {
      auto* const errors = reinterpret_cast<Errors*>(c->err);
      errors->manager.format_message(c, errors->message);
      longjmp(errors->back, 1);
    };
    manager.emit_message = [](j_common_ptr, int) {};
    return &manager;
  }
};

// As many as a file of such a picture can have: no block has more than twice its values, and the heading some
// hundred bytes.
uint64_t most_bytes(size_t height, size_t width, size_t channels) {
  const auto whole = [](size_t extent) { return (extent + 15) / 16 * 16; };
  return 4096 + 2 * uint64_t{whole(height)} * whole(width) * channels;
}

// A row of bytes of a picture, and back.
const uint8_t* bytes_of(const uint8_t* x, size_t, uint8_t*) { return x; }
const uint8_t* bytes_of(const float* x, size_t count, uint8_t* row) {
  for (size_t i = 0; i < count; ++i) row[i] = as_value<uint8_t>(x[i] * 255);
  return row;
}
uint8_t* room_for(uint8_t* y, uint8_t*) { return y; }
uint8_t* room_for(float*, uint8_t* row) { return row; }
void take_bytes(const uint8_t*, const uint8_t*, size_t, uint8_t*) {}
// Of f32 what is no number stays so.
void take_bytes(const uint8_t* row, const float* x, size_t count, float* y) {
  for (size_t i = 0; i < count; ++i) y[i] = std::isnan(x[i]) ? x[i] : static_cast<float>(row[i]) / 255;
}

class Compressor {
 public:
  Compressor() { c_.err = errors_.begin(); }
  ~Compressor() { jpeg_destroy_compress(&c_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // Into `bytes`, which have room for it. False: message() says why.
  template <class V>
  bool run(const Picture<V>& picture, int quality, uint8_t* row, unsigned char** bytes, unsigned long* size) {
    if (setjmp(errors_.back)) return false;
    jpeg_create_compress(&c_);
    jpeg_mem_dest(&c_, bytes, size);
    c_.image_height = static_cast<JDIMENSION>(picture.height);
    c_.image_width = static_cast<JDIMENSION>(picture.width);
    c_.input_components = static_cast<int>(picture.channels);
    c_.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c_);
    jpeg_set_quality(&c_, quality, TRUE);
    jpeg_start_compress(&c_, TRUE);
    while (c_.next_scanline < c_.image_height) {
      const V* const from = picture.x + c_.next_scanline * picture.row;
      auto* at = const_cast<JSAMPROW>(bytes_of(from, picture.width * picture.channels, row));
      jpeg_write_scanlines(&c_, &at, 1);
    }
    jpeg_finish_compress(&c_);
    return true;
  }
  const char* message() const { return errors_.message; }

 private:
  jpeg_compress_struct c_{};
  Errors errors_{};
};

class Decompressor {
 public:
  Decompressor() { c_.err = errors_.begin(); }
  ~Decompressor() { jpeg_destroy_decompress(&c_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  template <class V>
  bool run(const unsigned char* bytes, unsigned long size, uint8_t* row, const Picture<V>& picture) {
    if (setjmp(errors_.back)) return false;
    jpeg_create_decompress(&c_);
    jpeg_mem_src(&c_, bytes, size);
    jpeg_read_header(&c_, TRUE);
    jpeg_start_decompress(&c_);
    while (c_.output_scanline < c_.output_height) {
      const size_t i = c_.output_scanline;
      V* const to = picture.y + i * picture.row;
      JSAMPROW at = room_for(to, row);
      jpeg_read_scanlines(&c_, &at, 1);
      take_bytes(at, picture.x + i * picture.row, picture.width * picture.channels, to);
    }
    jpeg_finish_decompress(&c_);
    return true;
  }
  const char* message() const { return errors_.message; }

 private:
  jpeg_decompress_struct c_{};
  Errors errors_{};
};

struct JpegCompression : PictureAmount<JpegCompression> {
  static constexpr double kLow = 30, kHigh = 95;

  static void describe(Describe<JpegCompression>& d) {
    d.doc("writes a picture as JPEG and reads it again");
    d.details(
        "The quality is drawn, rounded to a whole number; colours are stored at half of the resolution, as "
        "most files "
        "have them. f32 by\n"
        "256 tones.\n"
        "Shapes: the part [H, W, C], C 1 (grey) or 3 (red, green, blue), of u8, or of f32 from 0 (black) to "
        "1 (white); "
        "comes out as it\n"
        "goes in.\n"
        "Source: ITU-T T.81, by libjpeg.");
    fields(d, "lowest quality", "highest quality", 1, 100);
  }
  static void examples(Examples& e) {
    PictureAmount::examples(e);
    e.add("low: 1 high: 20").input(DType::f32, {17, 9, 1}, "image");
  }

  void infer(Parts& parts) const {
    PictureAmount::infer(parts);
    const std::vector<int64_t>& shape = parts.part(part).shape;
    if (shape[2] != 1 && shape[2] != 3)
      throw Error("part \"", part, "\" has ", shape[2], " channels, wanted 1 or 3");
    if (shape[0] > kMostEdge || shape[1] > kMostEdge)
      throw Error("part \"", part, "\" is of ", shape[0], " by ", shape[1], ", wanted edges of at most ",
                  kMostEdge, " px");
  }
  uint64_t picture_workspace(size_t height, size_t width, size_t channels) const {
    return width * channels + most_bytes(height, width, channels);
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    const auto quality = static_cast<int>(std::lround(draw(random)));
    if (picture.pixels() == 0) return;
    auto* const row = static_cast<uint8_t*>(picture.workspace);
    unsigned char* const room = row + picture.width * picture.channels;
    unsigned char* bytes = room;
    unsigned long size = most_bytes(picture.height, picture.width, picture.channels);
    Compressor to;
    const bool is_made = to.run(picture, quality, row, &bytes, &size);
    if (!is_made) throw Error("libjpeg: ", to.message());
    Decompressor from;
    const bool is_read = bytes == room && from.run(bytes, size, row, picture);
    if (bytes != room) std::free(bytes);
    if (!is_read)
      throw Error("libjpeg: ", bytes == room ? from.message() : "a file larger than any should be");
  }
};

}  // namespace

PLAIT_PLUGIN("plait.jpeg_compression", "1.0.0", "Apache-2.0",
             augmenter<JpegCompression>("plait.jpeg_compression"));
