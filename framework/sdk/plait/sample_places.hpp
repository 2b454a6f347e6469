// The places of a sample (pixels, steps) and which of them it has, where its extents vary. Optional; sdk.hpp
// does not include it.
//
//   const SamplePlaces places(call.input());
//   const SamplePlaces::Used used = places.of(call.input(), n);
//   places.each(used, [&](uint64_t place) { sum += x[place * channels]; });
//   places.runs(used, [&](uint64_t place, uint64_t count) { add(x + place * channels, count); });
//
// Shapes: x [N, ..., C], of which up to two axes between N and C may vary.
// Threads: [any]
#pragma once
#include <plait/anywhere.hpp>
#include <plait/sdk.hpp>

#include <cstdint>

namespace plait::sdk {

// outer x first x middle x second x inner places, of which a sample has up to two stretches, along `first`
// and along `second`.
struct SamplePlaces {
  uint64_t outer = 1, first = 1, middle = 1, second = 1, inner = 1;
  int first_axis = -1, second_axis = -1;  // of x; -1: all of it

  template <class Shaped>  // Spec or Tensor
  explicit SamplePlaces(Shaped x) : first_axis(x.variable_axis()), second_axis(x.second_axis()) {
    for (int axis = 1; axis < x.rank() - 1; ++axis) {
      uint64_t& product = axis == first_axis                       ? first
                          : axis == second_axis                    ? second
                          : axis < first_axis || first_axis < 0    ? outer
                          : second_axis >= 0 && axis < second_axis ? middle
                                                                   : inner;
      product *= static_cast<uint64_t>(x.shape(axis));
    }
  }

  struct Used {
    uint64_t first, second;
  };
  Used all() const { return {first, second}; }
  Used of(Tensor x, size_t n) const {
    Used used = all();
    if (first_axis >= 0) used.first = static_cast<uint64_t>(x.extent(n, first_axis));
    if (second_axis >= 0) used.second = static_cast<uint64_t>(x.extent(n, second_axis));
    return used;
  }
  PLAIT_ANYWHERE uint64_t count() const { return outer * first * middle * second * inner; }
  PLAIT_ANYWHERE uint64_t count(Used used) const { return outer * used.first * middle * used.second * inner; }

  // body(place) for those that the sample has, in their order.
  template <class Body>
  PLAIT_ANYWHERE void each(Used used, const Body& body) const {
    for (uint64_t o = 0; o < outer; ++o)
      for (uint64_t f = 0; f < used.first; ++f)
        for (uint64_t m = 0; m < middle; ++m) {
          const uint64_t begin = ((o * first + f) * middle + m) * second * inner;
          for (uint64_t place = begin; place < begin + used.second * inner; ++place) body(place);
        }
  }

  // body(place, count) for stretches of places that the sample has, in their order: one where it is full.
  template <class Body>
  void runs(Used used, const Body& body) const {
    const uint64_t line = middle * second * inner;
    if (used.second == second && used.first == first) return body(uint64_t{0}, count());
    for (uint64_t o = 0; o < outer; ++o) {
      if (used.second == second) {
        body(o * first * line, used.first * line);
        continue;
      }
      for (uint64_t part = 0; part < used.first * middle; ++part)
        body((o * first * middle + part) * second * inner, used.second * inner);
    }
  }
};

}  // namespace plait::sdk
