// The sum of two or more tensors of one shape: where branches meet again.
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

PLAIT_FAST void sum_two(const float* a, const float* b, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}

PLAIT_FAST void add_to(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] += x[i];
}

struct Add {
  static constexpr uint32_t min_inputs = 2, max_inputs = kAnyInputs;

  static void describe(Describe<Add>& d) {
    d.doc("sum of its inputs");
    d.details("y = x0 + x1 + ..., in that order. Shapes: all alike, f32.");
  }

  void infer(LayerShapes& s) const {
    for (size_t i = 0; i < s.inputs(); ++i) {
      if (s.input(i).dtype() != DType::f32) s.fail("input ", i, " is ", s.input(i), ", wanted f32");
      if (!std::ranges::equal(s.input(i).shape(), s.input().shape()))
        s.fail("input ", i, " is ", s.input(i), ", wanted the shape of input 0: ", s.input());
    }
    s.output_like(0);
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  void forward(Context& c, const LayerCall& call) const {
    const Out y = call.output().f32();
    c.parallel_for(y.size(), [&](size_t begin, size_t end) {
      sum_two(call.input(0).f32().data() + begin, call.input(1).f32().data() + begin, y.data() + begin,
              end - begin);
      for (size_t i = 2; i < call.inputs(); ++i)
        add_to(call.input(i).f32().data() + begin, y.data() + begin, end - begin);
    });
  }

  void backward(Context&, const LayerCall& call) const {
    const Out dy = call.output_gradient().f32();
    for (size_t i = 0; i < call.inputs(); ++i)
      if (call.input_gradient(i)) std::ranges::copy(dy, call.input_gradient(i).f32().begin());
  }
};

}  // namespace

PLAIT_PLUGIN("plait.add", "1.0.0", "Apache-2.0", layer<Add>("plait.add"));
