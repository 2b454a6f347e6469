// Pictures turned by quarters and mirrored: pixels of any element type, moved one by one. Optional; sdk.hpp
// does not include it. Threads: [any]
#pragma once
#include <plait/sdk.hpp>

#include <cstring>
#include <string>
#include <utility>

namespace plait::sdk {

// Where row i, column j of the new picture comes from, in the extents of the old one: exchanged first, then
// each counted from its end.
struct QuarterTurn {
  bool exchange = false, rows_from_end = false, columns_from_end = false;
};

// A part [H, W, C]. Fails with: kInvalid for another.
inline PartSpec& picture_part(Parts& parts, const std::string& part) {
  PartSpec& image = parts.part(part);
  const bool channels_vary = image.variable_axis == 2 || image.second_axis == 2;
  if (image.shape.size() == 3 && !channels_vary) return image;
  const plait_tensor_spec raw = image.c();
  throw Error("part \"", part, "\" is ", Spec(&raw), channels_vary ? ", whose channels vary" : "",
              ", wanted [H, W, C]");
}

// What some samples are, and others not, must not change how large they are.
inline void want_square(const PartSpec& image) {
  const bool both = image.variable_axis == 0 && image.second_axis == 1, none = image.variable_axis < 0;
  if (image.shape[0] == image.shape[1] && (both || none)) return;
  throw Error("part \"", image.name, "\" is ", name_of(image.dtype), std::span<const int64_t>(image.shape),
              ", wanted as many rows as columns: some samples would be higher and others wider");
}

inline void exchange_extents(PartSpec& image) {
  std::swap(image.shape[0], image.shape[1]);
  if (image.variable_axis >= 0 && image.second_axis < 0) image.variable_axis = 1 - image.variable_axis;
}

inline void turn_picture(SampleCall& call, const std::string& part, const QuarterTurn& turn) {
  const auto [in, out] = call.part(part);
  const auto height = static_cast<size_t>(call.extent(part, 0)),
             width = static_cast<size_t>(call.extent(part, 1));
  const size_t pixel = static_cast<size_t>(in.shape(2)) * size_of(in.dtype());
  const size_t row_in = static_cast<size_t>(in.shape(1)) * pixel,
               row_out = static_cast<size_t>(out.shape(1)) * pixel;
  const size_t rows = turn.exchange ? width : height, columns = turn.exchange ? height : width;
  if (out.second_axis() >= 0) {
    call.set_extents(part, static_cast<int64_t>(rows), static_cast<int64_t>(columns));
  } else if (out.variable_axis() >= 0) {
    call.set_length(part, static_cast<int64_t>(out.variable_axis() == 0 ? rows : columns));
  }
  const auto* const from = static_cast<const uint8_t*>(in.raw());
  auto* const to = static_cast<uint8_t*>(out.raw());
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      size_t row = turn.exchange ? j : i, column = turn.exchange ? i : j;
      if (turn.rows_from_end) row = height - 1 - row;
      if (turn.columns_from_end) column = width - 1 - column;
      std::memcpy(to + i * row_out + j * pixel, from + row * row_in + column * pixel, pixel);
    }
  }
}

}  // namespace plait::sdk
