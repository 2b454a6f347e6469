// Adds the pieces of a sum in the order in which threads come.
// Caught by: same_over_lanes
// Words: from run to run on three lanes
#include <mutex>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  void forward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In x = call.input().f32();
    const Out y = call.output().f32();
    std::mutex mutex;
    float sum = 0;
    c.parallel_for(x.size(), 64, [&](size_t begin, size_t end) {
      float part = 0;
      for (size_t i = begin; i < end; ++i) part += x[i] * x[i] * x[i];
      const std::lock_guard lock(mutex);
      sum += part;
    });
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] + sum;
  }
  void backward(Context& c, const LayerCall& call) const {
    static_cast<void>(c);
    const In dy = call.output_gradient().f32();
    if (!call.input_gradient()) return;
    const Out dx = call.input_gradient().f32();
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sums_by_arrival", "1.0.0", "Apache-2.0", layer<Broken>("broken.sums_by_arrival_layer"));
