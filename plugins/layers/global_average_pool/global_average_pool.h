// What the implementations of global_average_pool share: its shapes, and which places a sample has.
#pragma once
#include <plait/anywhere.hpp>
#include <plait/sdk.hpp>

#include <cstdint>

namespace layers {

using namespace plait::sdk;

struct GlobalAveragePool {
  static constexpr bool two_axes = true;

  static void describe(Describe<GlobalAveragePool>& d) {
    d.doc("mean of each channel over all places");
    d.details(
        "y[n, c] = mean over the places p that sample n has of x[n, p, c]; 0 where it has none.\n"
        "Shapes: x [N, ..., C] f32, of which up to two axes between N and C may vary; y [N, C].\n"
        "Source: Lin, Chen, Yan 2013, section 3.2.");
  }

  static void ports(Ports& p) {
    p.input("x", "[N, ..., C]");
    p.output("y", "[N, C]").doc("the means");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 3) s.fail("input is ", x, ", wanted f32 [N, ..., C]");
    for (const int axis : {0, x.rank() - 1})
      if (x.varies(axis)) s.fail("axis ", axis, " of input ", x, " varies, wanted axes of places");
    s.output({x.shape(0), x.shape(-1)});
  }

  void needs(const LayerRequest&, LayerNeeds& n) const {
    n.backward_reads(Reads::nothing);
    n.accumulates();
  }
};

// The places of a sample: outer x first x middle x second x inner of them, of which a sample has up to two
// stretches, along `first` and along `second`.
struct PooledPlaces {
  uint64_t outer = 1, first = 1, middle = 1, second = 1, inner = 1;
  int first_axis = -1, second_axis = -1;  // of x; -1: all of it

  template <class Shaped>  // Spec or Tensor
  explicit PooledPlaces(Shaped x) : first_axis(x.variable_axis()), second_axis(x.second_axis()) {
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
};

}  // namespace layers
