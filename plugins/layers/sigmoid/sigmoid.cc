// Logistic function 1 / (1 + e^-x), elementwise. A layer before it that can, absorbs it.
#include "sigmoid.h"

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

using namespace plait::sdk;

namespace layers {
namespace {

struct SigmoidOnHost : Sigmoid {
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

PLAIT_PLUGIN("plait.sigmoid", "1.0.0", "Apache-2.0", layer<layers::SigmoidOnHost>("plait.sigmoid"));
