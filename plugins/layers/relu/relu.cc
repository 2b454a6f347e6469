// Max(x, 0), or slope x below zero, elementwise. A layer before it that can, absorbs it.
#include <plait/sdk.hpp>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
using plait::sdk::Activation;
#include "relu.inc.hpp"
#include <plait/simd/avx2.hpp>
#include "relu.inc.hpp"
#include <plait/simd/avx512.hpp>
#include "relu.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

namespace {

using namespace plait::sdk;

struct Relu {
  double slope = 0;

  static constexpr bool in_place = true;

  static void describe(Describe<Relu>& d) {
    d.doc("max(x, 0), or slope x below zero");
    d.details(
        "y = x where x > 0, else slope x.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Nair, Hinton 2010; Maas, Hannun, Ng 2013 (slope).");
    d.field("slope", &Relu::slope).doc("slope below zero; a small one is known as leaky").range(0, 1);
  }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.in_place();
    s.is_epilogue("relu", slope);
  }

  void forward(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t begin, size_t end) {
      PLAIT_SIMD_CALL(apply, activation(), x.data() + begin, y.data() + begin, end - begin);
    });
  }

  void backward_from_output(Context& c, In y, In dy, Out dx) const {
    c.parallel_for(y.size(), [&](size_t begin, size_t end) {
      PLAIT_SIMD_CALL(undo, activation(), y.data() + begin, dy.data() + begin, dx.data() + begin,
                      end - begin);
    });
  }

 private:
  Activation activation() const { return {Activation::Kind::kRelu, static_cast<float>(slope), 0}; }
};

}  // namespace

PLAIT_PLUGIN("plait.relu", "1.0.0", "Apache-2.0", layer<Relu>("plait.relu"));
