// What the implementations of convolution share: its fields and shapes.
#pragma once
#include <plait/initializers.hpp>

#include "shape.hpp"

namespace convolution {

using namespace plait::sdk;

struct Convolution {
  static constexpr bool two_axes = true;

  int64_t filters = 0, groups = 1;
  std::vector<int64_t> kernel = {3}, stride = {1}, padding = {0}, dilation = {1};
  bool bias = true;
  std::string weight_init = kDefaultInitializer;
  std::string implementation = "auto";

  static void describe(Describe<Convolution>& d) {
    d.doc("slides learned kernels over the input");
    d.details(
        "y[n, p, f] = b[f] + sum over taps t and channels c of x[n, stride p + dilation t - padding, c] w[f, "
        "c, t].\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32 or bf16; y alike with `filters` channels "
        "and "
        "extents\n"
        "floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1; up to two spatial axes may "
        "vary.\n"
        "Parameters: weight [filters, C / groups, kernel extents], bias [filters].");
    d.field("filters", &Convolution::filters)
        .doc("number of kernels, the channels of the output")
        .range(1, kMostChannels)
        .required();
    d.field("kernel", &Convolution::kernel)
        .doc("extents of a kernel: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px");
    d.field("stride", &Convolution::stride).doc("steps of the kernel").range(1, kMostExtent).unit("px");
    d.field("padding", &Convolution::padding)
        .doc("zeros added on each side")
        .range(0, kMostExtent)
        .unit("px");
    d.field("dilation", &Convolution::dilation).doc("distance of taps").range(1, kMostExtent).unit("px");
    d.field("groups", &Convolution::groups)
        .doc("channels and filters fall into so many independent parts")
        .range(1, kMostChannels);
    d.field("bias", &Convolution::bias).doc("whether to add a bias");
    d.field("weight_init", &Convolution::weight_init).doc(kInitializerDoc).choices(kInitializers);
    d.field("implementation", &Convolution::implementation)
        .doc("who convolves; auto: what was measured to be faster for the shape (README.md)")
        .choices({"auto", "onednn", "own", "winograd"});
  }

  Window window(Spec x) const { return {x, kernel, stride, padding, dilation, DType::bf16}; }

  // Sixteens of channels and of filters, which winograd and bf16 want, are seldom drawn.
  static void examples(Examples& e) {
    e.add("filters: 16 kernel: 3 padding: 1").input(DType::f32, {2, 6, 5, 16});
    e.add("filters: 32 kernel: 3 stride: 2 bias: false").input(DType::f32, {3, 9, 16});
    e.add("filters: 16 kernel: 2 groups: 4").input(DType::f32, {2, 4, 3, 4, 16});
    e.add("filters: 4").input(DType::f32, {3, 11, 12, 3});
    e.add("filters: 16 padding: 1 implementation: \"winograd\"").input(DType::f32, {3, 9, 10, 16});
    e.add("filters: 48 padding: 2 implementation: \"winograd\" bias: false").input(DType::f32, {2, 4, 5, 32});
    e.add("filters: 32 implementation: \"winograd\"").input(DType::f32, {21, 6, 7, 16});
  }

  static void ports(Ports& p) {
    p.input("x", "[N, extents, C]");
    p.output("y", "[N, extents, filters]");
    p.parameter("weight", "[filters, C / groups, kernel]").doc("a kernel each; extents last");
    p.parameter("bias", "[filters]").doc("where there is one");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    const Window w = window(x);
    const int64_t channels = x.shape(-1);
    if (channels % groups != 0)
      s.fail("the input's ", channels, " channels do not fall into ", groups, " groups");
    if (filters % groups != 0) s.fail(filters, " filters do not fall into ", groups, " groups");
    if (x.dtype() == DType::bf16) check_bf16(s, channels);
    w.infer_extents(s, s.output(w.output_shape(x.shape(0), filters)));
    const auto taps = static_cast<double>(w.taps());
    const double fan_in = static_cast<double>(channels / groups) * taps;
    const double fan_out = static_cast<double>(filters) * taps;  // all outputs, as PyTorch counts
    initialize_weight(weight(s, w, channels / groups), weight_init, fan_in, fan_out);
    if (bias) initialize_bias(s.bias("bias", filters), weight_init, fan_in, fan_out);
    s.multiply_adds(static_cast<double>(x.shape(0)) * static_cast<double>(filters) *
                    static_cast<double>(w.outputs()) * fan_in);
    for (const char* name : Activation::kNames) s.accepts_epilogue(name);
    s.mirror(mirror(w, channels));
  }

  // What an instance's kernels are told. Fails with: kException for a function that it cannot absorb.
  ConvolutionShape shape(const LayerRequest& r) const {
    ConvolutionShape s{window(r.input()),
                       static_cast<size_t>(r.input().shape(0)),
                       static_cast<size_t>(r.input().shape(-1)),
                       static_cast<size_t>(filters),
                       static_cast<size_t>(groups),
                       bias,
                       r.input_gradient_needed(),
                       r.training() && !r.parameters_frozen(),
                       r.training(),
                       r.input().dtype() == DType::bf16,
                       {}};
    if (r.epilogues() == 0) return s;
    const Epilogue e = r.epilogue();
    if (!s.activation.set(e.name, e.alpha, e.beta)) throw Error("cannot absorb ", e.name);
    return s;
  }

  struct Kernel;  // convolution.cc: the host's

 private:
  void check_bf16(LayerShapes& s, int64_t channels) const;  // convolution.cc

  // An extent shrinks by d (kernel - 1) - 2 padding; the mirror, of the same taps, pads by d (kernel - 1) -
  // padding and gives it back: the shape of the transposed convolution. What strides has no such mirror.
  Block mirror(const Window& w, int64_t channels) const {
    Block back("plait.convolution");
    back.set("filters", channels);
    for (int a = w.first(); a < 3; ++a) {
      const int64_t pad = w.reach(a) - 1 - w.padding[a];
      if (w.stride[a] != 1 || pad < 0)
        return Block("plait.dense").set("units", static_cast<int64_t>(Checked(w.inputs()) * channels));
      back.set("kernel", w.kernel[a]).set("padding", pad).set("dilation", w.dilation[a]);
    }
    if (groups != 1) back.set("groups", groups);
    return back;
  }

  ParameterSpec& weight(LayerShapes& s, const Window& w, int64_t channels) const {
    if (w.axes == 1) return s.weight("weight", {filters, channels, w.kernel[2]});
    if (w.axes == 2) return s.weight("weight", {filters, channels, w.kernel[1], w.kernel[2]});
    return s.weight("weight", {filters, channels, w.kernel[0], w.kernel[1], w.kernel[2]});
  }
};

}  // namespace convolution
