#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("each channel stretched, as OpenCV's normalize has it") {
  PictureTest test("plait.autocontrast");
  CHECK(test.bytes() == std::vector<int>{0,   52,  116, 183, 0,   118, 230, 112, 255, 139, 55,  253,
                                         181, 161, 111, 86,  99,  105, 124, 200, 234, 25,  133, 223,
                                         59,  229, 73,  225, 156, 58,  255, 247, 178, 148, 169, 159,
                                         173, 255, 0,   61,  172, 251, 82,  252, 88,  236, 164, 60,
                                         253, 239, 167, 133, 146, 135, 145, 216, 238, 21,  117, 201});
  CHECK(test.apart() < 0.5 + 1e-3);  // half a tone of rounding, and a few roundings of f32
}

TEST_CASE("a channel of one value stays") {
  PictureTest test("plait.autocontrast");
  test.picture = std::vector<int>(60, 77);
  CHECK(test.bytes() == std::vector<int>(60, 77));
}

TEST_CASE("five channels are stretched as each alone is") {
  PictureTest five("plait.autocontrast"), one("plait.autocontrast");
  five.shape = {4, 3, 5}, one.shape = {4, 3, 1};
  const std::vector<int> made = five.bytes();
  for (size_t c = 0; c < 5; ++c) {
    one.picture.clear();
    for (size_t i = c; i < 60; i += 5) one.picture.push_back(five.picture[i]);
    const std::vector<int> alone = one.bytes();
    for (size_t i = 0; i < 12; ++i) CHECK(made[5 * i + c] == alone[i]);
  }
}

TEST_CASE("what is no number is not hidden") { CHECK(PictureTest("plait.autocontrast").tells_nan()); }

}  // namespace
