#include <png.h>

#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_sink.hpp>

#include <cstring>
#include <utility>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// What libpng's simple interface reads from a file's bytes.
struct Read {
  uint32_t height = 0, width = 0, channels = 0;
  std::vector<int> values;

  explicit Read(const std::string& file) {
    png_image image;
    std::memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    REQUIRE(png_image_begin_read_from_memory(&image, file.data(), file.size()) != 0);
    height = image.height, width = image.width;
    channels = (image.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1;
    image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    std::vector<uint8_t> bytes(PNG_IMAGE_SIZE(image));
    REQUIRE(png_image_finish_read(&image, nullptr, bytes.data(), 0, nullptr) != 0);
    values.assign(bytes.begin(), bytes.end());
  }
};

struct Sink {
  TestHost host;
  Entry entry = linked("plait.png");
  Settings settings{entry};

  std::string write(std::vector<int64_t> shape, const std::vector<uint8_t>& values) {
    SinkTest test(host, entry, settings);
    return test.arrays({{"a", DType::u8, std::move(shape)}}, {std::string(values.begin(), values.end())});
  }
  void refuses(const std::vector<PartSpec>& specs, const char* words) {
    SinkTest test(host, entry, settings);
    CHECK_THROWS_WITH(test.check(specs), words);
  }
};

TEST_CASE("one picture, grey and in colours") {
  Sink sink;
  const Read grey(sink.write({2, 3}, {0, 50, 100, 150, 200, 255}));
  CHECK(grey.height == 2);
  CHECK(grey.width == 3);
  CHECK(grey.channels == 1);
  CHECK(grey.values == std::vector<int>{0, 50, 100, 150, 200, 255});
  const Read colours(sink.write({1, 2, 3}, {1, 2, 3, 4, 5, 6}));
  CHECK(colours.channels == 3);
  CHECK(colours.values == std::vector<int>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("three pictures in two columns, each pixel twice, a gap between them") {
  Sink sink;
  sink.settings.set("scale", 2).set("background", 9);
  const Read all(sink.write({3, 1, 1, 1}, {1, 2, 3}));
  CHECK(all.height == 5);
  CHECK(all.width == 5);
  CHECK(all.values ==
        std::vector<int>{1, 1, 9, 2, 2, 1, 1, 9, 2, 2, 9, 9, 9, 9, 9, 3, 3, 9, 9, 9, 3, 3, 9, 9, 9});
  sink.settings.set("scale", 1).set("columns", 3).set("gap", 0);
  CHECK(Read(sink.write({3, 1, 1, 1}, {1, 2, 3})).values == std::vector<int>{1, 2, 3});
}

TEST_CASE("the array's extents are in the file, also where it has no pixel") {
  Sink sink;
  sink.settings.set("background", 7);
  for (const auto& [shape, text] : std::vector<std::pair<std::vector<int64_t>, std::string>>{
           {{0, 3}, "0,3"}, {{2, 0, 3}, "2,0,3"}, {{0, 5, 4, 1}, "0,5,4,1"}}) {
    const std::string file = sink.write(shape, {});
    const Read none(file);
    CHECK(none.height == 1);
    CHECK(none.width == 1);
    CHECK(none.values[0] == 7);
    CHECK(file.find("tEXtshape" + std::string(1, '\0') + text) != std::string::npos);
  }
  CHECK(sink.write({1, 2}, {1, 2}).find("tEXtshape" + std::string(1, '\0') + "1,2") != std::string::npos);
}

TEST_CASE("what is no picture is refused, and one too large for a file") {
  Sink sink;
  sink.refuses({{"a", DType::f32, {2, 2}}},
               "a .png file holds u8 [H, W], [H, W, C] or [N, H, W, C], C 1 or 3; got f32[2, 2] a");
  sink.refuses({{"a", DType::u8, {2, 2, 2}}},
               "a .png file holds u8 [H, W], [H, W, C] or [N, H, W, C], C 1 or 3; got u8[2, 2, 2] a");
  sink.refuses({{"a", DType::u8, {2, 2}}, {"b", DType::u8, {2, 2}}},
               "a .png file holds one array of pictures, got 2");
  sink.refuses({{"a", DType::u8, {1 << 15, 1 << 15, 1}}},
               "the picture would be of 32768 by 32768 pixels, wanted at most 268435456 in all");
  SinkTest(sink.host, sink.entry, sink.settings)
      .check({{"a", DType::u8, {-1, 28, 28, 1}}});  // not counted yet
}

TEST_CASE("a full disk ends it") {
  Sink sink;
  SinkTest test(sink.host, sink.entry, sink.settings);
  test.room_bytes = 30;
  CHECK_THROWS(test.arrays({{"a", DType::u8, {4, 4}}}, {std::string(16, '\0')}));
  CHECK(sink.host.code == PLAIT_ERROR_IO);
}

}  // namespace
