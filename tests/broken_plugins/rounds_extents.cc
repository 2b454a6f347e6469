// Takes every other row; its rule says one row less where a sample has an odd number of them.
// Caught by: extents
// Words: sample 0 .* in a batch; alone its output is
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool two_axes = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {2, 6, 5, 3}); }
  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() != 4) s.fail("input is ", x, ", wanted f32 [N, H, W, C]");
    PartSpec& y = s.output({x.shape(0), (x.shape(1) + 1) / 2, x.shape(2), x.shape(3)});
    y.variable_axis = x.variable_axis(), y.second_axis = x.second_axis();
    if (x.varies(1)) s.extent(1, 1, 1, x.shape(1) % 2, 2);
  }
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }
  void forward(Context&, const LayerCall& call) const {
    each_row(call.input(), call.output(), [](Out x, Out y) { std::copy(x.begin(), x.end(), y.begin()); });
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Out dx = call.input_gradient().f32();
    std::fill(dx.begin(), dx.end(), 0.0f);
    each_row(call.input_gradient(), call.output_gradient(),
             [](Out to, Out from) { std::copy(from.begin(), from.end(), to.begin()); });
  }

 private:
  template <class Body>
  static void each_row(const Tensor& x, const Tensor& y, const Body& body) {
    const auto rows = static_cast<size_t>(x.shape(1)), kept = static_cast<size_t>(y.shape(1));
    const size_t row = x.size() / static_cast<size_t>(x.shape(0)) / rows;
    for (size_t n = 0; n < static_cast<size_t>(x.shape(0)); ++n)
      for (size_t r = 0; r < kept; ++r)
        body(x.f32().subspan((n * rows + 2 * r) * row, row), y.f32().subspan((n * kept + r) * row, row));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.rounds_extents", "1.0.0", "Apache-2.0", layer<Broken>("broken.rounds_extents_layer"));
