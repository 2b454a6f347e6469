// Sum of inputs of one shape, in their order.
#include <plait/sdk.hpp>
#include <plait/sdk/fast.hpp>

#include <cstring>

namespace {

using namespace plait::sdk;

PLAIT_FAST void sum_two(const float* a, const float* b, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = a[i] + b[i];
}

struct Add {
  static constexpr uint32_t min_inputs = 2, max_inputs = kAnyInputs;

  static void describe(Describe<Add>& d) {
    d.doc("sum of the inputs");
    d.details("Shapes: all inputs and y alike, f32.");
  }
  static void ports(Ports& p) {
    p.input("x", "all alike").doc("a term").repeated();
    p.output("y", "as x").doc("the sum");
  }

  void infer(LayerShapes& s) const {
    const Spec first = s.input(0);
    if (first.dtype() != DType::f32) s.fail("input 0 is ", first, ", wanted f32");
    for (size_t i = 1; i < s.inputs(); ++i) {
      const Spec x = s.input(i);
      if (text(x) != text(first) || x.variable_axis() != first.variable_axis()) {
        s.fail("input ", i, " is ", x, ", wanted ", first, " like input 0");
      }
    }
    s.output_like(0);
  }

  void needs(const LayerRequest&, LayerNeeds& n) const {
    n.backward_reads(Reads::nothing);
    n.accumulates();
  }

  void forward(Context& c, const LayerCall& call) const {
    float* y = call.output().f32().data();
    c.parallel_for(call.output().size(), [&](size_t begin, size_t end) {
      const float* sum = call.input(0).f32().data();
      for (size_t i = 1; i < call.inputs(); ++i) {
        sum_two(sum + begin, call.input(i).f32().data() + begin, y + begin, end - begin);
        sum = y;
      }
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    c.parallel_for(call.output_gradient().size(), [&](size_t begin, size_t end) {
      for (size_t i = 0; i < call.inputs(); ++i) {
        if (!call.input_gradient(i)) continue;
        float* dx = call.input_gradient(i).f32().data();
        if (call.accumulate(i)) {
          sum_two(dx + begin, dy + begin, dx + begin, end - begin);
        } else if (dx != dy) {
          std::memcpy(dx + begin, dy + begin, (end - begin) * sizeof(float));
        }
      }
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.add", "1.0.0", "Apache-2.0", layer<Add>("plait.add"));
