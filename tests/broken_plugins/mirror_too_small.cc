// Names as its mirror a layer that gives one number less back.
// Caught by: mirror
// Words: wanted as many numbers as
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

// Drops or adds columns of zeros.
struct Broken {
  int64_t columns = 3;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("columns", &Broken::columns).doc("of the output").range(1, 64);
  }
  void infer(LayerShapes& s) const {
    if (s.input().rank() != 2 || s.input().dtype() != DType::f32) s.fail("wanted f32 [N, C]");
    s.output({s.input().shape(0), columns});
    s.mirror(Block("broken.mirror_too_small").set("columns", std::max<int64_t>(1, s.input().shape(1) - 1)));
  }
  void forward(Context&, const LayerCall& call) const { copy(call.input(), call.output()); }
  void backward(Context&, const LayerCall& call) const {
    if (call.input_gradient()) copy(call.output_gradient(), call.input_gradient());
  }

 private:
  static void copy(Tensor from, Tensor to) {
    const auto rows = from.shape(0), a = from.shape(1), b = to.shape(1);
    for (int64_t n = 0; n < rows; ++n)
      for (int64_t i = 0; i < b; ++i)
        to.f32()[static_cast<size_t>(n * b + i)] = i < a ? from.f32()[static_cast<size_t>(n * a + i)] : 0.0f;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.mirror_too_small", "1.0.0", "Apache-2.0", layer<Broken>("broken.mirror_too_small"));
