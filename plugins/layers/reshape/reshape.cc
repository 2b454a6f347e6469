// Other extents for the same numbers. Memory keeps its order, so where the host shares it nothing happens.
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>

#include <algorithm>
#include <cstring>

using namespace plait::sdk;

namespace layers {
namespace {

struct Reshape {
  std::vector<int64_t> shape;

  static void describe(Describe<Reshape>& d) {
    d.doc("other extents for the same numbers");
    d.details("Shapes: x [N, ...] of any type; y [N, shape], of as many numbers, in the order of memory.");
    d.field("shape", &Reshape::shape)
        .doc("extents of y without the batch; one may be -1: what is left")
        .range(-1, kMostChannels)
        .required();
  }
  static void examples(Examples& e) {
    e.add("shape: 3 shape: -1").input(DType::f32, {2, 4, 6});
    e.add("shape: 2 shape: 2 shape: 3").input(DType::f32, {5, 12});
    e.add("shape: -1").input(DType::f32, {3, 2, 2, 2});
  }
  void validate() const {
    if (shape.empty()) throw Error("shape is empty, wanted an extent or more");
    if (shape.size() >= PLAIT_MAX_RANK)
      throw Error("shape has ", shape.size(), " extents, wanted at most ", PLAIT_MAX_RANK - 1);
    if (std::ranges::count(shape, -1) > 1) throw Error("shape has -1 more than once");
    if (std::ranges::count(shape, 0) > 0) throw Error("shape has an extent of 0");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.rank() < 1) s.fail("input is ", x, ", wanted [N, ...]");
    if (x.variable_axis() >= 0)
      s.fail("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    std::vector<int64_t> made{x.shape(0)};
    made.insert(made.end(), shape.begin(), shape.end());
    const int64_t have = elements(x.shape().subspan(1));
    Checked wanted = 1;
    for (const int64_t extent : shape)
      if (extent != -1) wanted = wanted * extent;
    const auto left = std::ranges::find(made.begin() + 1, made.end(), -1);
    if (left != made.end() && have % wanted.value() == 0) {
      *left = have / wanted.value();
    } else if (left != made.end() || have != wanted.value()) {
      s.fail("cannot make ", std::span<const int64_t>(shape), " of the ", have, " numbers of a sample of ",
             x);
    }
    s.output(std::move(made));
    s.in_place();
  }
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  void forward(Context&, const LayerCall& call) const { copy(call.input(), call.output()); }
  void backward(Context&, const LayerCall& call) const {
    if (call.input_gradient()) copy(call.output_gradient(), call.input_gradient());
  }

 private:
  static void copy(Tensor from, Tensor to) {
    if (from.raw() != to.raw()) std::memcpy(to.raw(), from.raw(), from.bytes());
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.reshape", "1.0.0", "Apache-2.0", layer<layers::Reshape>("plait.reshape"));
