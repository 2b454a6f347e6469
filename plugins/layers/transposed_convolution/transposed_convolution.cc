// Transposed convolution (of fractional strides): the map that is a convolution's input gradient.
#include <plait/bf16.hpp>
#include <plait/initializers.hpp>
#include <plait/onednn.hpp>

#include "onednn.hpp"

using namespace plait::sdk;

namespace transposed_convolution {

struct TransposedConvolution {
  static constexpr bool two_axes = true;
  int64_t filters = 0, groups = 1;
  std::vector<int64_t> kernel = {3}, stride = {1}, padding = {0}, output_padding = {0}, dilation = {1};
  bool bias = true;
  std::string weight_init = kDefaultInitializer;

  static void describe(Describe<TransposedConvolution>& d) {
    using T = TransposedConvolution;
    d.doc("spreads each input over the output by learned kernels: a convolution's input gradient");
    d.details(
        "Adds x[n, p, c] w[c, f, t] to y[n, stride p + dilation t - padding, f], for all places p, taps t "
        "and channels c.\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32 or bf16; y alike with `filters` channels "
        "and "
        "extents\n"
        "stride (input - 1) - 2 padding + dilation (kernel - 1) + output_padding + 1.\n"
        "Parameters: weight [C, filters / groups, kernel extents], bias [filters].\n"
        "Source: Zeiler et al., Deconvolutional Networks (2010); arithmetic as in Dumoulin and Visin (2016), "
        "section 4.");
    d.field("filters", &T::filters).doc("channels of the output").range(1, kMostChannels).required();
    d.field("kernel", &T::kernel)
        .doc("extents of a kernel: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px");
    d.field("stride", &T::stride)
        .doc("distance of two neighbouring inputs in the output")
        .range(1, kMostExtent)
        .unit("px");
    d.field("padding", &T::padding).doc("cut off the output on each side").range(0, kMostExtent).unit("px");
    d.field("output_padding", &T::output_padding)
        .doc("added to the output at its far side; less than the stride")
        .range(0, kMostExtent)
        .unit("px");
    d.field("dilation", &T::dilation).doc("distance of taps").range(1, kMostExtent).unit("px");
    d.field("groups", &T::groups)
        .doc("channels and filters fall into so many independent parts")
        .range(1, kMostChannels);
    d.field("bias", &T::bias).doc("whether to add a bias");
    d.field("weight_init", &T::weight_init).doc(kInitializerDoc).choices(kInitializers);
  }

  static void examples(Examples& e) {  // beside those that are drawn: wide enough for bf16
    e.add("filters: 16 kernel: 2 stride: 2").input(DType::f32, {2, 4, 3, 16});
    e.add("filters: 32 kernel: 3 bias: false").input(DType::f32, {3, 7, 16});
  }
  static void ports(Ports& p) {
    p.input("x", "[N, extents, C]");
    p.output("y", "[N, extents, filters]");
    p.parameter("weight", "[C, filters / groups, kernel]").doc("extents last");
    p.parameter("bias", "[filters]").doc("where there is one");
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    const Shape shape = shape_of(x);
    std::vector<int64_t> y{shape.batch};
    double taps = 1, inputs = 1;
    for (int a = shape.first(); a < 3; ++a) {
      const auto axis = static_cast<size_t>(a);
      y.push_back(shape.output[axis]);
      taps *= static_cast<double>(shape.kernel[axis]);
      inputs *= static_cast<double>(shape.input[axis]);
    }
    y.push_back(filters);
    infer_extents(s, shape, s.output(y));
    // As PyTorch counts: fan_in from the second axis of the weight, fan_out from the first.
    const double fan_in = static_cast<double>(filters / groups) * taps;
    const double fan_out = static_cast<double>(shape.channels) * taps;
    initialize_weight(weight(s, shape), weight_init, fan_in, fan_out);
    if (bias) initialize_bias(s.bias("bias", filters), weight_init, fan_in, fan_out);
    s.multiply_adds(static_cast<double>(shape.batch) * static_cast<double>(shape.channels) * inputs * fan_in);
    for (const char* name : Activation::kNames) s.accepts_epilogue(name);
    s.mirror(mirror(shape));
  }

  // Fails with: kInvalid for an input that this layer cannot have, naming got and wanted.
  Shape shape_of(Spec x) const {
    Shape s;
    s.axes = x.rank() - 2;
    if (!is_f32_or_bf16(x.dtype()) || s.axes < 1 || s.axes > 3) {
      throw Error("input is ", x, ", wanted f32 [N, W, C], [N, H, W, C] or [N, D, H, W, C]");
    }
    if (x.varies(x.rank() - 1)) throw Error("the channels of the input vary, wanted a fixed number");
    s.bf16 = x.dtype() == DType::bf16;
    constexpr int64_t kLeast = 16;  // of channels and filters: README.md has the measurements
    if (s.bf16 && (x.shape(-1) < kLeast || filters < kLeast || !onednn_has_bf16()))
      throw Error("input is ", x, ", and so few channels or filters are computed in f32");
    s.batch = x.shape(0), s.channels = x.shape(-1), s.filters = filters, s.groups = groups;
    if (s.channels % groups != 0)
      throw Error("the input's ", s.channels, " channels do not fall into ", groups, " groups");
    if (filters % groups != 0) throw Error("", filters, " filters do not fall into ", groups, " groups");
    for (int a = s.first(); a < 3; ++a) set_axis(s, x, a);
    static_cast<void>(s.outputs());
    static_cast<void>(size_t{Checked(s.batch) * s.channels * s.input[0] * s.input[1] * s.input[2]});
    static_cast<void>(size_t{Checked(s.channels) * s.filters * s.kernel[0] * s.kernel[1] * s.kernel[2]});
    return s;
  }

  // What an instance is told besides. Fails with: kException for a function that it cannot absorb.
  Shape shape_with(const LayerRequest& r) const {
    Shape s = shape_of(r.input());
    s.has_bias = bias;
    s.need_dx = r.input_gradient_needed();
    s.need_dw = r.training() && !r.parameters_frozen();
    s.training = r.training();
    if (r.epilogues() == 0) return s;
    const Epilogue e = r.epilogue();
    if (!s.activation.set(e.name, e.alpha, e.beta)) throw Error("cannot absorb ", e.name);
    return s;
  }

  struct Kernel;

 private:
  // What is past a sample's extents is zeros, which spread nothing.
  static void infer_extents(LayerShapes& s, const Shape& of, PartSpec& output_0) {
    const Spec x = s.input();
    output_0.variable_axis = x.variable_axis(), output_0.second_axis = x.second_axis();
    for (int a = of.first(); a < 3; ++a) {
      const int axis = 1 + a - of.first();
      const auto i = static_cast<size_t>(a);
      if (x.varies(axis)) s.extent(axis, axis, of.stride[i], of.output[i] - of.stride[i] * of.input[i], 1);
    }
  }

  ParameterSpec& weight(LayerShapes& s, const Shape& of) const {
    const int64_t channels = of.channels, part = filters / groups;
    const auto& k = of.kernel;
    if (of.axes == 1) return s.weight("weight", {channels, part, k[2]});
    if (of.axes == 2) return s.weight("weight", {channels, part, k[1], k[2]});
    return s.weight("weight", {channels, part, k[0], k[1], k[2]});
  }

  int64_t of_axis(const char* field, const std::vector<int64_t>& list, const Shape& s, int a) const {
    if (list.size() != 1 && list.size() != static_cast<size_t>(s.axes)) {
      throw Error(field, " has ", list.size(), " values, wanted 1, or ", s.axes, ", one per axis");
    }
    return list[list.size() == 1 ? 0 : static_cast<size_t>(a - s.first())];
  }

  void set_axis(Shape& s, Spec x, int a) const {
    const auto i = static_cast<size_t>(a);
    s.input[i] = x.shape(1 + a - s.first());
    s.kernel[i] = of_axis("kernel", kernel, s, a);
    s.stride[i] = of_axis("stride", stride, s, a);
    s.padding[i] = of_axis("padding", padding, s, a);
    s.dilation[i] = of_axis("dilation", dilation, s, a);
    s.output_padding[i] = of_axis("output_padding", output_padding, s, a);
    if (s.input[i] < 1)
      throw Error("axis ", 1 + a - s.first(), " of the input is ", s.input[i], ", wanted at least 1");
    if (s.output_padding[i] >= s.stride[i])
      throw Error("output_padding ", s.output_padding[i], " is not less than the stride ", s.stride[i]);
    const int64_t whole = (Checked(s.input[i]) - 1) * s.stride[i] +
                          Checked(s.dilation[i]) * (s.kernel[i] - 1) + 1 + s.output_padding[i];
    const int64_t cut = Checked(s.padding[i]) * 2;
    if (cut >= whole)
      throw Error("padding ", s.padding[i], " on each side leaves nothing of an output of ", whole);
    s.output[i] = whole - cut;
  }

  // The convolution of the same window gives the input's extents back; of strides only where nothing is left
  // over.
  Block mirror(const Shape& s) const {
    Block back("plait.convolution");
    back.set("filters", s.channels);
    for (int a = s.first(); a < 3; ++a) {
      const auto i = static_cast<size_t>(a);
      back.set("kernel", s.kernel[i])
          .set("stride", s.stride[i])
          .set("padding", s.padding[i])
          .set("dilation", s.dilation[i]);
    }
    if (groups != 1) back.set("groups", groups);
    return back;
  }
};

struct TransposedConvolution::Kernel {
  OneDnn onednn;

  Kernel(const TransposedConvolution& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : onednn(config.shape_with(r)) {
    const bool activates = r.epilogues() > 0;
    n.backward_reads(activates ? Reads::both : Reads::inputs);
    n.workspace(onednn.workspace_bytes());
    onednn.note(KernelNotes(c));
  }

  void forward(Context& c, const LayerCall& call) const { onednn.forward(c, call); }
  void backward(Context& c, const LayerCall& call) const { onednn.backward(c, call); }
};

}  // namespace transposed_convolution

PLAIT_PLUGIN("plait.transposed_convolution", "1.0.0", "Apache-2.0",
             wants_bf16(layer<transposed_convolution::TransposedConvolution>("plait.transposed_convolution")),
             numerics(&onednn_facts));
