#include "train/picture_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace plait::inline train {
namespace {

constexpr int64_t kMostPixels = int64_t{1} << 28;
constexpr uint8_t kGrey = 128;

struct Size {
  int64_t height, width, channels;
};

Size size_of(const PartSpec& picture) {
  return {picture.shape[0], picture.shape[1], picture.shape.size() == 3 ? picture.shape[2] : 1};
}

// What is white and what is black, of values that may be anything.
struct Tones {
  float black = 0, white = 1;

  Tones(const float* values, const Size& size, int64_t row_values, int64_t height, int64_t width) {
    float least = 0, most = 1;
    bool is_first = true;
    for (int64_t y = 0; y < height; ++y)
      for (int64_t i = 0; i < width * size.channels; ++i) {
        const float value = values[y * row_values + i];
        if (!std::isfinite(value)) continue;
        least = is_first ? value : std::min(least, value);
        most = is_first ? value : std::max(most, value);
        is_first = false;
      }
    if (least >= 0 && most <= 1) return;
    black = least, white = most > least ? most : least + 1;
  }
  uint8_t of(float value) const {
    if (!std::isfinite(value)) return kGrey;
    return static_cast<uint8_t>(std::lround(255.0 * (double{value} - black) / (double{white} - black)));
  }
};

}  // namespace

bool is_picture(const PartSpec& part) {
  const size_t rank = part.shape.size();
  const bool is_flat = rank == 2, fits = is_flat || (rank == 3 && (part.shape[2] == 1 || part.shape[2] == 3));
  const bool varies = part.variable_axis > 1 || part.second_axis > 1;
  return fits && !varies && (part.dtype == PLAIT_U8 || part.dtype == PLAIT_F32);
}

Result<PictureGrid> PictureGrid::create(int64_t rows, int64_t columns, const std::vector<PartSpec>& pictures,
                                        int64_t scale) {
  PictureGrid made;
  made.rows_ = rows, made.columns_ = columns, made.scale_ = scale;
  for (const PartSpec& picture : pictures) {
    const Size size = size_of(picture);
    made.cell_height_ = std::max(made.cell_height_, size.height);
    made.cell_width_ = std::max(made.cell_width_, size.width);
    made.channels_ = std::max(made.channels_, size.channels);
  }
  const auto pixels = [](int64_t count, int64_t cell, int64_t times) {
    return static_cast<double>(count) * (static_cast<double>(cell) * static_cast<double>(times) + kGap);
  };
  const double height = pixels(rows, made.cell_height_, scale),
               width = pixels(columns, made.cell_width_, scale);
  if (height * width > static_cast<double>(kMostPixels))
    return {Code::kInvalid,
            fmt::format("the pictures would be {:.0f} by {:.0f} pixels, wanted at most {} in all", height,
                        width, kMostPixels)};
  made.pixels_.assign(static_cast<size_t>(made.height() * made.width() * made.channels_), kGrey);
  return made;
}

void PictureGrid::draw(int64_t row, int64_t column, const PartSpec& picture, const void* values,
                       const int64_t used[2]) {
  const Size size = size_of(picture);
  int64_t extents[2] = {size.height, size.width};
  for (int k = 0; k < 2; ++k)
    if (picture.varying(k) >= 0) extents[picture.varying(k)] = used[k];
  const auto [height, width] = extents;
  const int64_t row_values = size.width * size.channels;
  const bool is_u8 = picture.dtype == PLAIT_U8;
  const auto* const bytes = static_cast<const uint8_t*>(values);
  const auto* const floats = static_cast<const float*>(values);
  const Tones tones = is_u8 ? Tones(nullptr, size, 0, 0, 0) : Tones(floats, size, row_values, height, width);
  uint8_t* const corner = pixels_.data() + (row * (cell_height_ * scale_ + kGap) * this->width() +
                                            column * (cell_width_ * scale_ + kGap)) *
                                               channels_;
  for (int64_t y = 0; y < height * scale_; ++y)
    for (int64_t x = 0; x < width * scale_; ++x)
      for (int64_t c = 0; c < channels_; ++c) {
        const int64_t from =
            y / scale_ * row_values + x / scale_ * size.channels + std::min(c, size.channels - 1);
        corner[(y * this->width() + x) * channels_ + c] = is_u8 ? bytes[from] : tones.of(floats[from]);
      }
}

}  // namespace plait::inline train
