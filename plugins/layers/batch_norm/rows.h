// The rows of a batch (a row: the channels of a place) that its samples have, in tiles.
//
// Shapes: x [N, ..., C], of which up to two axes between N and C may vary. Threads: [any]
#pragma once
#include <plait/sample_places.hpp>
#include <plait/sdk.hpp>

#include <algorithm>

namespace layers {

constexpr size_t kTile = 2048;  // elements: what is between two loops stays in the first cache

// A piece of rows, or a part of a row.
struct Tile {
  size_t at, channel, rows, columns;  // at: of its first element
  size_t size() const { return rows * columns; }
};

class BatchRows {
 public:
  template <class Shaped>  // Spec or Tensor
  explicit BatchRows(Shaped x)
      : channels_(static_cast<size_t>(x.shape(-1))),
        rows_(x.size() / std::max<size_t>(channels_, 1)),
        varies_(x.variable_axis() >= 0),
        places_(x) {}

  size_t all() const { return rows_; }
  bool vary() const { return varies_; }
  // Of this batch's samples.
  size_t count(plait::sdk::Tensor x) const {
    if (!varies_) return rows_;
    uint64_t count = 0;
    for (size_t n = 0; n < static_cast<size_t>(x.shape(0)); ++n) count += places_.count(places_.of(x, n));
    return count;
  }
  // The first that a sample has, or 0.
  size_t first(plait::sdk::Tensor x) const {
    if (!varies_) return 0;
    for (size_t n = 0; n < static_cast<size_t>(x.shape(0)); ++n)
      if (places_.count(places_.of(x, n)) > 0) return n * places_.count();
    return 0;
  }

  // work(tile): all of rows begin <= r < end that samples have, in their order.
  template <class Work>
  void tiles(plait::sdk::Tensor x, size_t begin, size_t end, const Work& work) const {
    if (!varies_) return cut(begin, end, work);
    const size_t places = places_.count();
    for (size_t n = begin / std::max<size_t>(places, 1); n * places < end; ++n) {
      places_.runs(places_.of(x, n), [&](uint64_t place, uint64_t count) {
        const size_t row = n * places + place;
        if (row < end && row + count > begin)
          cut(std::max<size_t>(row, begin), std::min<size_t>(row + count, end), work);
      });
    }
  }

 private:
  template <class Work>
  void cut(size_t begin, size_t end, const Work& work) const {
    const size_t columns = std::min(channels_, kTile),
                 most = std::max<size_t>(kTile / std::max<size_t>(channels_, 1), 1);
    for (size_t row = begin; row < end; row += most) {
      for (size_t c = 0; c < channels_; c += columns)
        work(Tile{row * channels_ + c, c, std::min(most, end - row), std::min(columns, channels_ - c)});
    }
  }

  size_t channels_, rows_;
  bool varies_;
  plait::sdk::SamplePlaces places_;
};

}  // namespace layers
