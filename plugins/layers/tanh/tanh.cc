// Hyperbolic tangent, elementwise. A layer before it that can, absorbs it.
#include "tanh.h"

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
using plait::sdk::Activation;
#include "tanh.inc.hpp"
#include <plait/simd/avx2.hpp>
#include "tanh.inc.hpp"
#include <plait/simd/avx512.hpp>
#include "tanh.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

using namespace plait::sdk;

namespace layers {
namespace {

struct TanhOnHost : Tanh {
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
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.tanh", "1.0.0", "Apache-2.0", layer<layers::TanhOnHost>("plait.tanh"));
