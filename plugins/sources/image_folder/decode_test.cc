#include <doctest/doctest.h>

#include <cmath>

#include "test_folder.h"

using namespace plait::image_folder;

namespace {

constexpr int64_t kMost = 1 << 20;

Picture decoded(const std::string& bytes) { return decode(bytes, "file", kMost, Wanted::kPixels); }

std::string failure(const std::string& bytes, int64_t most = kMost) {
  try {
    decode(bytes, "file", most, Wanted::kPixels);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "decoded";
}

// Over 8 x 8 blocks at quality 100 a coefficient is off by at most 1/2, YCbCr and back by about 1 more.
bool is_near(const Picture& a, const Picture& b, int most) {
  if (a.height != b.height || a.width != b.width || a.channels != b.channels) return false;
  for (size_t i = 0; i < a.pixels.size(); ++i)
    if (std::abs(a.pixels[i] - b.pixels[i]) > most) return false;
  return true;
}

TEST_CASE("PNG gives the pixels back, interlaced too") {
  for (const bool interlaced : {false, true}) {
    for (const int64_t channels : {1, 3}) {
      const Picture picture = numbered(11, 9, channels);
      const Picture back = decoded(encode_png(picture, {interlaced}));
      CHECK(back.height == 11);
      CHECK(back.width == 9);
      CHECK(back.channels == channels);
      CHECK(back.pixels == picture.pixels);
    }
  }
}

TEST_CASE("PNG of 16 bits and with transparency") {
  const Picture picture = numbered(4, 5, 3);
  CHECK(decoded(encode_png(picture, {false, 16})).pixels == picture.pixels);
  CHECK(decoded(encode_png(picture, {true, 16})).pixels == picture.pixels);
  CHECK(decoded(encode_png(plain(2, 2, {10, 20, 30, 0}))).pixels == plain(2, 2, {10, 20, 30}).pixels);
  CHECK(decoded(encode_png(plain(2, 2, {77, 5}))).pixels == plain(2, 2, {77}).pixels);
}

TEST_CASE("PNG of few bits and of a palette") {
  const Picture bits{2, 3, 1, {0, 1, 0, 1, 1, 0}};
  CHECK(decoded(encode_png(bits, {false, 1})).pixels == std::vector<uint8_t>{0, 255, 0, 255, 255, 0});
  const Picture quarters{1, 4, 1, {0, 1, 2, 3}};
  CHECK(decoded(encode_png(quarters, {true, 2})).pixels == std::vector<uint8_t>{0, 85, 170, 255});
  const Picture back = decoded(encode_png(bits, {false, 8, {1, 2, 3, 40, 50, 60}}));
  CHECK(back.channels == 3);
  CHECK(back.pixels == std::vector<uint8_t>{1, 2, 3, 40, 50, 60, 1, 2, 3, 40, 50, 60, 40, 50, 60, 1, 2, 3});
}

TEST_CASE("JPEG of colours, of grey, and progressive") {
  for (const bool progressive : {false, true}) {
    const Picture color = plain(9, 17, {200, 100, 50}), grey = plain(9, 17, {90});
    CHECK(is_near(decoded(encode_jpeg(color, {progressive})), color, 2));
    CHECK(is_near(decoded(encode_jpeg(grey, {progressive})), grey, 1));
  }
}

// As libjpeg's encoder writes it, with Adobe's mark: 255 is no ink, so red is all cyan's light gone: 255, 0,
// 0.
TEST_CASE("CMYK in Adobe's way becomes RGB") {
  CHECK(is_near(decoded(encode_jpeg(plain(8, 8, {255, 0, 0, 255}))), plain(8, 8, {255, 0, 0}), 2));
  CHECK(is_near(decoded(encode_jpeg(plain(8, 8, {255, 255, 255, 128}))), plain(8, 8, {128, 128, 128}), 2));
}

TEST_CASE("CMYK without Adobe's mark: 0 is no ink") {
  const JpegForm form{.adobe = false};
  CHECK(is_near(decoded(encode_jpeg(plain(8, 8, {0, 255, 255, 0}), form)), plain(8, 8, {255, 0, 0}), 2));
  CHECK(is_near(decoded(encode_jpeg(plain(8, 8, {0, 0, 0, 127}), form)), plain(8, 8, {128, 128, 128}), 2));
}

// A dark quarter at the top left: where it is afterwards. Source: Exif 2.3, table of tag 0x0112.
TEST_CASE("EXIF orientation turns the picture upright") {
  Picture picture = plain(16, 32, {250});
  for (size_t y = 0; y < 8; ++y)
    for (size_t x = 0; x < 16; ++x) picture.pixels[32 * y + x] = 5;
  const struct {
    int orientation;
    bool is_turned, at_bottom, at_right;
  } cases[] = {{0, false, false, false}, {1, false, false, false}, {2, false, false, true},
               {3, false, true, true},   {4, false, true, false},  {5, true, false, false},
               {6, true, false, true},   {7, true, true, true},    {8, true, true, false},
               {9, false, false, false}};
  for (const auto& one : cases) {
    for (const bool big_endian : {false, true}) {
      CAPTURE(one.orientation);
      const auto bytes = encode_jpeg(picture, {false, one.orientation, big_endian});
      const Picture back = decoded(bytes);
      CHECK(back.height == (one.is_turned ? 32 : 16));
      CHECK(back.width == (one.is_turned ? 16 : 32));
      const Picture header = decode(bytes, "file", kMost, Wanted::kHeader);
      CHECK(header.height == back.height);
      CHECK(header.pixels.empty());
      for (const bool bottom : {false, true}) {
        for (const bool right : {false, true}) {
          const int64_t y = bottom ? back.height - 1 : 0, x = right ? back.width - 1 : 0;
          const bool is_dark = back.pixels[static_cast<size_t>(y * back.width + x)] < 128;
          CHECK(is_dark == (bottom == one.at_bottom && right == one.at_right));
        }
      }
    }
  }
}

TEST_CASE("EXIF that lies is no orientation") {
  std::vector<uint8_t> exif = {'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0xff, 0xff, 0xff, 0xff};
  CHECK(exif_orientation(exif) == 1);
  exif[10] = exif[11] = exif[12] = 0, exif[13] = 2;
  CHECK(exif_orientation(exif) == 1);
  CHECK(exif_orientation({}) == 1);
}

TEST_CASE("grey and colours become one another") {
  CHECK(with_channels(plain(1, 2, {9}), 3).pixels == std::vector<uint8_t>{9, 9, 9, 9, 9, 9});
  CHECK(with_channels(plain(1, 1, {255, 255, 255}), 1).pixels == std::vector<uint8_t>{255});
  // 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
  CHECK(with_channels(plain(1, 1, {200, 100, 50}), 1).pixels == std::vector<uint8_t>{124});
}

TEST_CASE("resizing: halves are means, one colour stays, the middle is the middle") {
  const Picture even{2, 2, 1, {0, 100, 200, 40}};
  CHECK(resized(even, whole_of(even), 1, 1).pixels == std::vector<uint8_t>{85});
  CHECK(resized(even, whole_of(even), 2, 2).pixels == even.pixels);
  for (const int64_t size : {1, 3, 7, 50}) {
    const Picture made = resized(plain(7, 5, {255, 3, 128}), whole_of(plain(7, 5, {0})), size, size + 1);
    CHECK(made.pixels == plain(size, size + 1, {255, 3, 128}).pixels);
  }
  Picture wide = plain(2, 6, {9});
  for (size_t i = 0; i < 12; ++i) wide.pixels[i] = static_cast<uint8_t>(10 * (i % 6));
  const Region middle = middle_of(wide, 2, 2);
  CHECK(middle.left == 2);
  CHECK(middle.width == 2);
  CHECK(resized(wide, middle, 2, 2).pixels == std::vector<uint8_t>{20, 30, 20, 30});
}

TEST_CASE("what is no picture is told by its first bytes") {
  CHECK(failure("") == "file: has 0 bytes, wanted JPEG or PNG");
  CHECK(failure("text named so") ==
        "file: begins with bytes 74 65 78 74, wanted JPEG (ff d8 ff) or PNG (89 50 4e 47)");
}

// Interlaced and progressive files have something of every pixel early: it must not pass for the picture.
TEST_CASE("a file that is cut anywhere is refused") {
  const Picture picture = numbered(20, 20, 3);
  const std::string files[] = {encode_jpeg(picture), encode_jpeg(picture, {true}), encode_png(picture),
                               encode_png(picture, {true})};
  for (const std::string& whole : files) {
    REQUIRE(failure(whole) == "decoded");
    for (size_t size = 0; size < whole.size(); size += size < 40 ? 1 : 37) {
      CAPTURE(size);
      CHECK(failure(whole.substr(0, size)) != "decoded");
    }
    CHECK(failure(whole.substr(0, whole.size() - 20)) != "decoded");
  }
  CHECK(failure(files[0].substr(0, files[0].size() / 2)) == "file: damaged JPEG: Premature end of JPEG file");
  CHECK(failure(files[2].substr(0, files[2].size() / 2)) == "file: damaged PNG: ends early");
}

// 20,000 x 20,000 written over the extents of a small picture; of a PNG the sum of the header is set right.
TEST_CASE("a picture too large is refused before it is decoded") {
  std::string jpeg = encode_jpeg(plain(8, 8, {1, 2, 3}));
  const size_t frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  jpeg.replace(frame + 5, 4, "\x4e\x20\x4e\x20");
  CHECK(failure(jpeg, 1 << 26) == "file: has 20000 x 20000 pixels, wanted at most 67108864 (max_pixels)");
  CHECK(failure(encode_png(plain(30, 40, {7})), 1199) ==
        "file: has 30 x 40 pixels, wanted at most 1199 (max_pixels)");
  CHECK(failure(encode_png(plain(30, 40, {7})), 1200) == "decoded");
  jpeg.replace(frame + 5, 4, std::string(4, '\0'));
  CHECK(failure(jpeg).starts_with("file: damaged JPEG: "));
}

}  // namespace
