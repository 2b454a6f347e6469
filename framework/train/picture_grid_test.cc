#include "train/picture_grid.h"

#include <doctest/doctest.h>

#include <limits>

using namespace plait;

namespace {

using Bytes = std::vector<uint8_t>;

PartSpec picture(uint32_t dtype, std::vector<int64_t> shape) { return {"image", dtype, std::move(shape)}; }

PictureGrid grid_of(int64_t rows, int64_t columns, const std::vector<PartSpec>& pictures, int64_t scale = 1) {
  auto grid = PictureGrid::create(rows, columns, pictures, scale);
  REQUIRE(grid);
  return *grid;
}

constexpr int64_t kAll[2] = {0, 0};

}  // namespace

TEST_CASE("cells are of the largest picture, a pixel apart on grey") {
  const PartSpec small = picture(PLAIT_U8, {1, 2}), large = picture(PLAIT_U8, {2, 3, 1});
  PictureGrid grid = grid_of(2, 2, {small, large});
  CHECK(grid.height() == 5);
  CHECK(grid.width() == 7);
  CHECK(grid.channels() == 1);
  grid.draw(0, 0, small, Bytes{1, 2}.data(), kAll);
  grid.draw(1, 1, large, Bytes{3, 4, 5, 6, 7, 8}.data(), kAll);
  constexpr uint8_t g = 128;
  CHECK(grid.pixels() == Bytes{1, 2, g, g, g, g, g,  //
                               g, g, g, g, g, g, g,  //
                               g, g, g, g, g, g, g,  //
                               g, g, g, g, 3, 4, 5,  //
                               g, g, g, g, 6, 7, 8});
}

TEST_CASE("a grey picture beside one in colours, each pixel twice") {
  const PartSpec grey = picture(PLAIT_U8, {1, 1, 1}), coloured = picture(PLAIT_U8, {1, 1, 3});
  PictureGrid grid = grid_of(1, 2, {grey, coloured}, 2);
  grid.draw(0, 0, grey, Bytes{9}.data(), kAll);
  grid.draw(0, 1, coloured, Bytes{1, 2, 3}.data(), kAll);
  const Bytes row = {9, 9, 9, 9, 9, 9, 128, 128, 128, 1, 2, 3, 1, 2, 3};
  Bytes rows = row;
  rows.insert(rows.end(), row.begin(), row.end());
  CHECK(grid.pixels() == rows);
}

TEST_CASE("numbers from 0 to 1 as they are, others from the least to the greatest") {
  const PartSpec floats = picture(PLAIT_F32, {1, 3});
  PictureGrid grid = grid_of(1, 1, {floats});
  grid.draw(0, 0, floats, std::vector<float>{0, 0.5F, 0.25F}.data(), kAll);
  CHECK(grid.pixels() == Bytes{0, 128, 64});
  grid.draw(0, 0, floats, std::vector<float>{-1, 1, 0}.data(), kAll);
  CHECK(grid.pixels() == Bytes{0, 255, 128});
  grid.draw(0, 0, floats, std::vector<float>{7, 7, 7}.data(), kAll);
  CHECK(grid.pixels() == Bytes{0, 0, 0});
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kMost = std::numeric_limits<float>::max();
  grid.draw(0, 0, floats, std::vector<float>{kNan, kMost, -kMost}.data(), kAll);
  CHECK(grid.pixels() == Bytes{128, 255, 0});
}

TEST_CASE("of a variable axis what is used") {
  PartSpec varying = picture(PLAIT_U8, {2, 2});
  varying.variable_axis = 0, varying.second_axis = 1;
  PictureGrid grid = grid_of(1, 1, {varying});
  grid.draw(0, 0, varying, Bytes{1, 2, 3, 4}.data(), std::vector<int64_t>{1, 2}.data());
  CHECK(grid.pixels() == Bytes{1, 2, 128, 128});
}

TEST_CASE("what is a picture") {
  for (const auto& good :
       {picture(PLAIT_U8, {5, 4}), picture(PLAIT_F32, {5, 4, 3}), picture(PLAIT_U8, {1, 1, 1})})
    CHECK(is_picture(good));
  for (const auto& bad : {picture(PLAIT_I32, {5, 4}), picture(PLAIT_U8, {5}), picture(PLAIT_U8, {5, 4, 2}),
                          picture(PLAIT_U8, {5, 4, 3, 1}), picture(PLAIT_F32, {})})
    CHECK_FALSE(is_picture(bad));
  PartSpec varying = picture(PLAIT_U8, {5, 4, 3});
  varying.variable_axis = 2;
  CHECK_FALSE(is_picture(varying));
}

TEST_CASE("more pixels than a file holds are refused") {
  const auto grid = PictureGrid::create(1 << 20, 30, {picture(PLAIT_U8, {100, 100, 3})}, 64);
  CHECK(grid.status().code() == Code::kInvalid);
  CHECK(grid.status().message().find("wanted at most 268435456 in all") != std::string::npos);
}
