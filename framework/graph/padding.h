// What lies within and past the extents of one sample, as runs of memory.
#pragma once
#include <plait/abi.h>

#include <algorithm>
#include <cstdint>

#include "registry/parts.h"

namespace plait::inline graph {

// A sample of up to two variable axes: outer x first x middle x second x inner elements, of which the first
// used[0] of `first` and used[1] of `second` mean something. Of one variable axis `first` is 1.
struct SampleGrid {
  uint64_t outer = 1, first = 1, middle = 1, second = 1, inner = 1;
  uint64_t used[2] = {1, 1};

  // `shape`, `axis`, `second_axis`: without N; axis -1 and second_axis below 1: none. `extents`: along both,
  // null: all; a number below 0 or beyond the bound counts as 0 or the bound.
  SampleGrid(const int64_t* shape, int rank, int axis, int second_axis, const int32_t* const extents[2]) {
    const bool two = second_axis > axis && axis >= 0;
    const int a = two ? axis : -1, b = two ? second_axis : axis;
    for (int i = 0; i < rank; ++i) {
      uint64_t& product = i == a   ? first
                          : i == b ? second
                          : i < a  ? outer
                          : i > b  ? inner
                          : two    ? middle
                                   : outer;
      product *= static_cast<uint64_t>(shape[i]);
    }
    used[0] = two ? clamped(extents[0], first) : first;
    used[1] = axis < 0 ? second : clamped(extents[two ? 1 : 0], second);
  }
  // Of a sample's part.
  SampleGrid(const PartSpec& part, const int32_t* const extents[2])
      : SampleGrid(part.shape.data(), static_cast<int>(part.shape.size()), part.variable_axis,
                   part.second_axis, extents) {}
  // Of sample `n` of a batch.
  static SampleGrid of(const plait_tensor& batch, uint64_t n) {
    const int32_t* const extents[2] = {batch.lengths == nullptr ? nullptr : batch.lengths + n,
                                       batch.second_lengths == nullptr ? nullptr : batch.second_lengths + n};
    const int second = batch.second_axis > 0 ? batch.second_axis - 1 : -1;
    return {batch.shape + 1, batch.rank - 1, batch.variable_axis < 0 ? -1 : batch.variable_axis - 1, second,
            extents};
  }

  uint64_t elements() const { return outer * first * middle * second * inner; }

  // body(first element, elements): all that means something, in the order of memory.
  template <class Body>
  void each_valid(const Body& body) const {
    each_row([&](uint64_t row, bool valid) {
      if (valid) body(row * second * inner, used[1] * inner);
    });
  }
  // The rest.
  template <class Body>
  void each_past(const Body& body) const {
    each_row([&](uint64_t row, bool valid) {
      const uint64_t begin = valid ? used[1] : 0;
      if (begin < second) body((row * second + begin) * inner, (second - begin) * inner);
    });
  }

 private:
  static uint64_t clamped(const int32_t* extent, uint64_t bound) {
    return extent == nullptr ? bound : std::min(static_cast<uint64_t>(std::max(*extent, 0)), bound);
  }
  // Rows are of second x inner elements.
  template <class Body>
  void each_row(const Body& body) const {
    uint64_t row = 0;
    for (uint64_t o = 0; o < outer; ++o)
      for (uint64_t f = 0; f < first; ++f)
        for (uint64_t m = 0; m < middle; ++m, ++row) body(row, f < used[0]);
  }
};

}  // namespace plait::inline graph
