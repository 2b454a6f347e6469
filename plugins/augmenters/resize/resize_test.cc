#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <vector>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const std::vector<float> kPicture = {0,     0.1f,  0.9f,  0.3f,  0.6f,  0.2f,  0.8f,  0.5f,  1,
                                     0.4f,  0.7f,  0.05f, 0.55f, 0.35f, 0.25f, 0.75f, 0.15f, 0.95f,
                                     0.45f, 0.65f, 0.85f, 0.1f,  0.3f,  0.2f,  0.6f,  0.4f,  0.8f,
                                     0.7f,  0.9f,  0.5f,  0.7f,  0.1f,  0.3f,  0.2f,  0};

struct Made {
  std::vector<float> values;
  // The farthest from `wanted`.
  double off(const std::vector<double>& wanted) const {
    REQUIRE(values.size() == wanted.size());
    double most = 0;
    for (size_t i = 0; i < wanted.size(); ++i) most = std::max(most, std::abs(values[i] - wanted[i]));
    return most;
  }
};

Settings settings(const Entry& entry, int64_t height, int64_t width, const char* filter,
                  bool antialias = true) {
  return Settings(entry)
      .clear("size")
      .add("size", height)
      .add("size", width)
      .set("filter", filter)
      .set("antialias", antialias);
}

Made scaled(const char* filter, int64_t height, int64_t width, bool antialias = true,
            std::vector<int64_t> shape = {5, 7, 1}, const std::vector<float>& picture = kPicture) {
  TestHost host;
  const Entry entry = linked("plait.resize");
  AugmenterTest test(host, entry, settings(entry, height, width, filter, antialias),
                     {{"image", DType::f32, std::move(shape)}});
  std::ranges::copy(picture, test.sample.inputs[0].f32().begin());
  test.apply();
  const auto out = test.sample.outputs[0].f32();
  return {{out.begin(), out.end()}};
}

// Image.resize of Pillow 12 on a picture of mode F, to six digits.
TEST_CASE("bilinear, bicubic and nearest are Pillow's") {
  CHECK(scaled("bilinear", 3, 4)
            .off({0.353061, 0.585714, 0.391429, 0.485374, 0.455291, 0.482444, 0.542889, 0.669577, 0.492517,
                  0.423429, 0.357714, 0.369388}) < 2e-6);
  CHECK(scaled("bicubic", 3, 4)
            .off({0.350197, 0.616166, 0.372405, 0.479193, 0.452351, 0.488322, 0.555982, 0.694821, 0.489599,
                  0.410474, 0.357294, 0.374176}) < 2e-6);
  CHECK(scaled("nearest", 3, 4).off({0, 0.9, 0.6, 0.8, 0.25, 0.15, 0.45, 0.85, 0.9, 0.7, 0.3, 0}) < 1e-6);
  const std::vector<double> larger = {
      0,        0.066667, 0.455556, 0.766667, 0.3,      0.533333, 0.377778, 0.4,      0.8,
      0.285714, 0.504762, 0.614286, 0.595238, 0.528571, 0.339683, 0.349206, 0.447619, 0.542857,
      0.428571, 0.761905, 0.661905, 0.426984, 0.771429, 0.299206, 0.394444, 0.55,     0.492857,
      0.25,     0.583333, 0.483333, 0.327778, 0.95,     0.561111, 0.561111, 0.716667, 0.85,
      0.142857, 0.333333, 0.320635, 0.3,      0.7,      0.477778, 0.604762, 0.752381, 0.742857,
      0.442857, 0.404762, 0.398413, 0.407936, 0.385714, 0.363492, 0.460317, 0.495238, 0.4,
      0.9,      0.633333, 0.588889, 0.566667, 0.1,      0.255556, 0.244444, 0.133333, 0};
  CHECK(scaled("bilinear", 7, 9).off(larger) < 2e-6);
  CHECK(scaled("bilinear", 7, 9, false).off(larger) < 2e-6);  // where it grows there is nothing to filter
}

TEST_CASE("an area is the mean of what lies in it") {
  CHECK(scaled("area", 1, 2, true, {1, 4, 1}, {0, 0.2f, 0.4f, 1}).off({0.1, 0.7}) < 1e-7);
  CHECK(scaled("area", 1, 2, false, {1, 3, 1}, {0.3f, 0.6f, 0.9f}).off({0.4, 0.8}) < 1e-7);
  CHECK(
      scaled("area", 2, 1, true, {4, 1, 2}, {0, 1, 0.2f, 0.8f, 0.4f, 0.5f, 1, 0}).off({0.1, 0.9, 0.7, 0.25}) <
      1e-7);
  // Larger: a new pixel lies in one old one, or over an edge.
  CHECK(scaled("area", 1, 3, true, {1, 2, 1}, {0, 1}).off({0, 0.5, 1}) < 1e-7);
}

TEST_CASE("without antialias two pixels decide") {
  // Places 2 and 6 of 0 .. 8 lie between pixels 1 and 2, and 5 and 6.
  CHECK(scaled("bilinear", 1, 2, false, {1, 8, 1}, {1, 0.2f, 0.4f, 1, 1, 0, 0.5f, 1}).off({0.3, 0.25}) <
        1e-7);
}

TEST_CASE("a picture of one tone keeps it, and its own size changes nothing") {
  for (const char* filter : {"nearest", "bilinear", "bicubic", "area"})
    for (const bool antialias : {false, true}) {
      CAPTURE(std::string(filter));
      for (const int64_t size : {1, 2, 3, 11, 40})
        CHECK(scaled(filter, size, size + 1, antialias, {5, 7, 1}, std::vector<float>(35, 0.5f))
                  .off(std::vector<double>(static_cast<size_t>(size * (size + 1)), 0.5)) < 1e-6);
      CHECK(scaled(filter, 5, 7, antialias).off({kPicture.begin(), kPicture.end()}) < 1e-6);
    }
}

TEST_CASE("bytes are rounded, bicubic ones kept within black and white") {
  TestHost host;
  const Entry entry = linked("plait.resize");
  AugmenterTest test(host, entry, settings(entry, 1, 8, "bicubic"), {{"image", DType::u8, {1, 4, 1}}});
  const std::vector<uint8_t> from = {0, 255, 0, 255};
  std::ranges::copy(from, test.sample.inputs[0].data<uint8_t>().begin());
  test.apply();
  const auto out = test.sample.outputs[0].data<uint8_t>();
  CHECK(out[0] == 0);
  CHECK(out[2] == 216);  // at 1.25: (0.8672 of 255) / (0.2266 + 0.8672 - 0.0703)
  CHECK(out[7] == 255);
}

TEST_CASE("of a picture that fills its room in part what it has is scaled") {
  TestHost host;
  const Entry entry = linked("plait.resize");
  AugmenterTest test(host, entry, settings(entry, 1, 1, "area"), {{"image", DType::f32, {4, 3, 1}, 0, 1}});
  TestTensor& image = test.sample.inputs[0];
  image.lengths = {2}, image.second_lengths = {2};
  std::ranges::fill(image.f32(), 9.0f);
  for (const size_t i : {0, 1, 3, 4}) image.f32()[i] = 0.25f;
  test.apply();
  CHECK(test.sample.outputs[0].spec().variable_axis == -1);
  CHECK(test.sample.outputs[0].f32()[0] == doctest::Approx(0.25));
  image.lengths = {0};
  CHECK_THROWS_WITH(test.apply(), "part \"image\" has no pixel, which cannot be scaled");
}

TEST_CASE("what is no picture, and sizes of three, are refused") {
  TestHost host;
  const Entry entry = linked("plait.resize");
  CHECK_THROWS_WITH(AugmenterTest(host, entry, Settings(entry), {{"image", DType::i32, {4, 3, 1}}}),
                    "part \"image\" is i32[4, 3, 1], wanted [H, W, C] of u8 or f32");
  CHECK_THROWS_WITH(AugmenterTest(host, entry, Settings(entry).clear("size").add("size", 16384),
                                  {{"image", DType::f32, {4, 3, 1}}}),
                    "size makes a picture of 268435456 elements, wanted at most 67108864");
  CHECK_THROWS(AugmenterTest(host, entry, Settings(entry).add("size", 3).add("size", 4),
                             {{"image", DType::f32, {4, 3, 1}}}));
}

}  // namespace
