// What the implementations of global_average_pool share: its shapes. Which places a
// sample has is in <plait/sample_places.hpp>.
#pragma once
#include <plait/sample_places.hpp>
#include <plait/sdk.hpp>

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

using PooledPlaces = SamplePlaces;

}  // namespace layers
