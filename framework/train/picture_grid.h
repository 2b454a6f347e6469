// Pictures of samples, drawn side by side for people to look at.
#pragma once
#include <cstdint>
#include <vector>

#include "registry/parts.h"

namespace plait::inline train {

// u8 or f32 [H, W, C] or [H, W], C 1 or 3.
bool is_picture(const PartSpec& part);

// Rows of cells, all of one size, a pixel apart on grey; a picture lies in the upper left corner of its cell.
class PictureGrid {
 public:
  // `scale`: pixels along each edge of one of a picture's. Fails with: kInvalid for more than 2^28 pixels.
  static Result<PictureGrid> create(int64_t rows, int64_t columns, const std::vector<PartSpec>& pictures,
                                    int64_t scale);

  // f32 from 0 to 1 as 0 to 255; where some lie outside, from the picture's least to its greatest. `used`:
  // what there is along a variable axis and a second one.
  void draw(int64_t row, int64_t column, const PartSpec& picture, const void* values, const int64_t used[2]);

  int64_t height() const { return rows_ * (cell_height_ * scale_ + kGap) - kGap; }
  int64_t width() const { return columns_ * (cell_width_ * scale_ + kGap) - kGap; }
  int64_t channels() const { return channels_; }
  const std::vector<uint8_t>& pixels() const { return pixels_; }  // [height, width, channels]

 private:
  static constexpr int64_t kGap = 1;
  PictureGrid() = default;
  int64_t rows_ = 0, columns_ = 0, cell_height_ = 0, cell_width_ = 0, channels_ = 1, scale_ = 1;
  std::vector<uint8_t> pixels_;
};

}  // namespace plait::inline train
