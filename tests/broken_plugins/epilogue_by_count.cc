// Brings functions to be absorbed that give other bits where elements are few.
// Caught by: advertised_epilogue
// Words: in a smaller piece and in place
#include <cmath>
#include <plait/element_function.hpp>

namespace {
using namespace plait::sdk;

struct Broken : ElementFunction<Broken> {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void apply(const float* x, float* y, size_t count) const {
    for (size_t i = 0; i < count; ++i)
      y[i] = count >= 8 ? x[i] / (1 + std::abs(x[i])) : x[i] * (1 / (1 + std::abs(x[i])));
  }
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * (1 - std::abs(y[i])) * (1 - std::abs(y[i]));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.epilogue_by_count", "1.0.0", "Apache-2.0",
             layer<Broken>("broken.epilogue_by_count_layer"));
