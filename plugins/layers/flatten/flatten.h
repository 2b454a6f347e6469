// What the implementations of flatten share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace layers {

using namespace plait::sdk;

struct Flatten {
  static void describe(Describe<Flatten>& d) {
    d.doc("makes a vector of each sample");
    d.details("Shapes: x [N, ...] of any type; y [N, product of the rest], in channels-last order.");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.rank() < 2) s.fail("input is ", x, ", wanted [N, ...]");
    if (x.variable_axis() >= 0)
      s.fail("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    const int64_t batch = x.shape(0);
    s.output({batch, static_cast<int64_t>(x.size()) / std::max<int64_t>(batch, 1)});
    s.in_place();
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }
};

}  // namespace layers
