// Pictures as PNG, one or many side by side.
#include <png.h>

#include <plait/sdk.hpp>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

// libpng's errors end in a jump, over no object that has to be destroyed: all of them are members.
class PngWriter {
 public:
  PngWriter()
      : png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, this, &PngWriter::stop, &PngWriter::warn)) {
    if (png_) info_ = png_create_info_struct(png_);
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  // False: message() says why.
  bool begin(uint32_t height, uint32_t width, bool is_colored, const std::string& shape) {
    if (!info_) return false;
    shape_ = shape;
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_write_fn(png_, this, &PngWriter::take, nullptr);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png_, info_, width, height, 8, is_colored ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_text text{};
    text.compression = PNG_TEXT_COMPRESSION_NONE;
    text.key = key_;
    text.text = shape_.data();
    text.text_length = shape_.size();
    png_set_text(png_, info_, &text, 1);
    png_write_info(png_, info_);
    return true;
  }
  bool row(const uint8_t* values) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_write_row(png_, values);
    return true;
  }
  bool end() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_write_end(png_, info_);
    return true;
  }

  const char* message() const { return message_; }
  std::string take_bytes() { return std::exchange(bytes_, {}); }

 private:
  [[noreturn]] static void stop(png_structp png, png_const_charp what) {
    auto* const self = static_cast<PngWriter*>(png_get_error_ptr(png));
    std::snprintf(self->message_, sizeof self->message_, "%s", what);
    png_longjmp(png, 1);
  }
  static void warn(png_structp, png_const_charp) {}
  static void take(png_structp png, png_bytep from, size_t count) {
    auto* const self = static_cast<PngWriter*>(png_get_io_ptr(png));
    bool is_full = false;  // an exception must not pass through libpng
    try {
      self->bytes_.append(reinterpret_cast<const char*>(from), count);
    } catch (...) {
      is_full = true;
    }
    if (is_full) png_error(png, "no memory is left");
  }

  png_structp png_;
  png_infop info_ = nullptr;
  std::string bytes_, shape_;
  char key_[6] = "shape";
  char message_[200] = "libpng cannot be set up";
};

// Pictures of one size: [H, W], [H, W, C], or N of them.
struct Pictures {
  size_t count = 1, height = 0, width = 0, channels = 1;
};

struct Png {
  static constexpr const char* endings[] = {".png"};
  int64_t columns = 0, scale = 1, gap = 1, background = 128;

  static void describe(Describe<Png>& d) {
    d.doc("pictures as PNG");
    d.details(
        "Shapes: one array of u8, [H, W], [H, W, C], or [N, H, W, C], C 1 (grey) or 3 (red, green, blue): N "
        "pictures are "
        "laid out\n"
        "row by row. The values are the file's, each as a square of scale by scale pixels.\n"
        "The file's text \"shape\" has the array's extents, \"3,28,28,1\"; one without a pixel is a picture "
        "of one, "
        "of the background.\n"
        "Refused: other shapes and types, pairs, and more than 2^31 - 1 pixels along an axis or 2^28 in "
        "all.\n"
        "Source: PNG, third edition (W3C 2025), by libpng.");
    d.field("columns", &Png::columns)
        .doc("pictures in a row; 0: about as many as there are rows")
        .range(0, 1 << 20);
    d.field("scale", &Png::scale).doc("pixels of the file along each edge of one of a picture").range(1, 64);
    d.field("gap", &Png::gap).doc("between pictures").range(0, 1000).unit("px");
    d.field("background", &Png::background).doc("tone of gaps and of places without a picture").range(0, 255);
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {5, 4, 3}, "image");
    e.add("columns: 2 scale: 3").input(DType::u8, {3, 5, 4, 1}, "image");
  }

  void check_arrays(const SinkArrays& arrays) const {
    if (arrays.size() != 1) throw Error("a .png file holds one array of pictures, got ", arrays.size());
    const SinkArray array = arrays[0];
    const auto shape = array.shape();
    const bool is_flat = shape.size() == 2, fits = is_flat || shape.size() == 3 || shape.size() == 4;
    if (array.dtype() != DType::u8 || !fits || (!is_flat && shape.back() != 1 && shape.back() != 3))
      throw Error("a .png file holds u8 [H, W], [H, W, C] or [N, H, W, C], C 1 or 3; got ",
                  name_of(array.dtype()), shape, " ", array.name());
    if (shape[0] > 0) lay_out(pictures_of(array));
  }

  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    const Pictures pictures = pictures_of(arrays[0]);
    const Layout layout = lay_out(pictures);
    const auto* const values = reinterpret_cast<const uint8_t*>(arrays[0].bytes().data());
    PngWriter png;
    const auto must = [&](bool well) {
      if (!well) throw IoError("libpng: ", png.message());
    };
    std::string shape;
    for (const int64_t extent : arrays[0].shape())
      shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    must(png.begin(static_cast<uint32_t>(layout.height), static_cast<uint32_t>(layout.width),
                   pictures.channels == 3, shape));
    std::vector<uint8_t> row(layout.width * pictures.channels);
    for (size_t y = 0; y < layout.height; ++y) {
      draw_row(pictures, layout, values, y, row);
      must(png.row(row.data()));
      out.write(png.take_bytes());
    }
    must(png.end());
    out.write(png.take_bytes());
  }

 private:
  struct Layout {
    size_t columns, rows, cell_height, cell_width, height, width;
  };

  static Pictures pictures_of(const SinkArray& array) {
    const auto shape = array.shape();
    Pictures made;
    const size_t first = shape.size() == 4 ? 1 : 0;
    if (first == 1) made.count = static_cast<size_t>(shape[0]);
    made.height = static_cast<size_t>(shape[first]), made.width = static_cast<size_t>(shape[first + 1]);
    if (shape.size() > 2) made.channels = static_cast<size_t>(shape.back());
    return made;
  }
  // Fails with: kInvalid for more pixels than a file holds.
  Layout lay_out(const Pictures& of) const {
    Layout made{};
    if (of.count * of.height * of.width == 0) {
      made.height = made.width = 1;
      return made;
    }
    made.columns = static_cast<size_t>(columns);
    if (made.columns == 0)
      while (made.columns * made.columns < of.count) ++made.columns;
    made.columns = std::min(made.columns, of.count);
    made.rows = (of.count + made.columns - 1) / made.columns;
    constexpr double kMost = 2147483647, kMostOfAll = 268435456;
    const auto size = static_cast<double>(scale), between = static_cast<double>(gap);
    const double height =
        static_cast<double>(made.rows) * (static_cast<double>(of.height) * size + between) - between;
    const double width =
        static_cast<double>(made.columns) * (static_cast<double>(of.width) * size + between) - between;
    if (height > kMost || width > kMost || height * width > kMostOfAll)
      throw Error("the picture would be of ", height, " by ", width, " pixels, wanted at most ", kMostOfAll,
                  " in all");
    made.cell_height = of.height * static_cast<size_t>(scale) + static_cast<size_t>(gap);
    made.cell_width = of.width * static_cast<size_t>(scale) + static_cast<size_t>(gap);
    made.height = static_cast<size_t>(height), made.width = static_cast<size_t>(width);
    return made;
  }
  void draw_row(const Pictures& pictures, const Layout& layout, const uint8_t* values, size_t y,
                std::vector<uint8_t>& to) const {
    std::fill(to.begin(), to.end(), static_cast<uint8_t>(background));
    if (layout.rows == 0) return;
    const size_t times = static_cast<size_t>(scale), row = y % layout.cell_height / times;
    if (row >= pictures.height) return;
    for (size_t column = 0; column < layout.columns; ++column) {
      const size_t number = y / layout.cell_height * layout.columns + column;
      if (number >= pictures.count) return;
      const uint8_t* const from =
          values + (number * pictures.height + row) * pictures.width * pictures.channels;
      uint8_t* into = to.data() + column * layout.cell_width * pictures.channels;
      for (size_t x = 0; x < pictures.width; ++x)
        for (size_t k = 0; k < times; ++k, into += pictures.channels)
          std::copy_n(from + x * pictures.channels, pictures.channels, into);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.png", "1.0.0", "Apache-2.0", sink<Png>("plait.png"));
