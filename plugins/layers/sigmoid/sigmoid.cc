// Logistic function 1 / (1 + e^-x), elementwise. A layer before it that can, absorbs it.
#include <plait/sdk.hpp>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
using plait::sdk::Activation;
#include "sigmoid.inc.hpp"
#include <plait/simd/avx2.hpp>
#include "sigmoid.inc.hpp"
#include <plait/simd/avx512.hpp>
#include "sigmoid.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

namespace {

using namespace plait::sdk;

struct Sigmoid {
  static constexpr bool in_place = true;

  static void describe(Describe<Sigmoid>& d) {
    d.doc("logistic function 1 / (1 + e^-x)");
    d.details("y = 1 / (1 + e^-x). Shapes: x and y alike, f32.");
  }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.in_place();
    s.is_epilogue("sigmoid");
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
  static Activation activation() { return {Activation::Kind::kSigmoid, 0, 0}; }
};

}  // namespace

PLAIT_PLUGIN("plait.sigmoid", "1.0.0", "Apache-2.0", layer<Sigmoid>("plait.sigmoid"));
