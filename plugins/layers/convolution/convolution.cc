// Convolution (as the field calls it: the kernel is not mirrored) over one to three spatial axes.
#include <algorithm>
#include <optional>
#include <plait/initializers.hpp>

#include "direct.hpp"
#include "onednn.hpp"
#include "shape.hpp"

namespace {

using namespace plait::sdk;
using convolution::ConvolutionShape;

struct Convolution {
  int64_t filters = 0, groups = 1;
  std::vector<int64_t> kernel = {3}, stride = {1}, padding = {0}, dilation = {1};
  bool bias = true;
  std::string weight_init = kDefaultInitializer;

  static void describe(Describe<Convolution>& d) {
    d.doc("slides learned kernels over the input");
    d.details(
        "y[n, p, f] = b[f] + sum over taps t and channels c of x[n, stride p + dilation t - padding, c] w[f, "
        "c, t].\n"
        "Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32; y the same with `filters` channels and "
        "extents\n"
        "floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.\n"
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
  }

  Window window(Spec x) const { return {x, kernel, stride, padding, dilation}; }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    const Window w = window(x);
    const int64_t channels = x.shape(-1);
    if (channels % groups != 0)
      s.fail("the input's ", channels, " channels do not fall into ", groups, " groups");
    if (filters % groups != 0) s.fail(filters, " filters do not fall into ", groups, " groups");
    s.output(w.output_shape(x.shape(0), filters));
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

  struct Kernel;

 private:
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

// Which kernel runs follows from the shape alone.
struct Convolution::Kernel {
  ConvolutionShape shape;
  std::optional<convolution::Direct> direct;
  std::optional<convolution::OneDnn> onednn;

  Kernel(const Convolution& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : shape(shape_of(config, r)) {
    n.stored_elements(0, convolution::stored_weights(shape));
    n.backward_reads(shape.activates() ? Reads::both : Reads::inputs);
    if (convolution::Direct::suits(shape)) {
      direct.emplace(shape, c.lanes());
      n.workspace(direct->workspace_bytes());
      n.accumulates();
    } else {
      onednn.emplace(shape);
      n.workspace(onednn->workspace_bytes());
    }
  }

  void forward(Context& c, const LayerCall& call) const {
    direct ? direct->forward(c, call) : onednn->forward(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    direct ? direct->backward(c, call) : onednn->backward(c, call);
  }

  void pack(Context&, uint32_t index, const float* plain, float* stored) const {
    if (index != 0) return void(std::copy_n(plain, shape.filters, stored));
    std::fill_n(stored, convolution::stored_weights(shape), 0.0f);
    each_weight([&](size_t from, size_t to) { stored[to] = plain[from]; });
  }
  void unpack(Context&, uint32_t index, const float* stored, float* plain) const {
    if (index != 0) return void(std::copy_n(stored, shape.filters, plain));
    each_weight([&](size_t to, size_t from) { plain[to] = stored[from]; });
  }

 private:
  static ConvolutionShape shape_of(const Convolution& config, const LayerRequest& r) {
    ConvolutionShape s{config.window(r.input()),
                       static_cast<size_t>(r.input().shape(0)),
                       static_cast<size_t>(r.input().shape(-1)),
                       static_cast<size_t>(config.filters),
                       static_cast<size_t>(config.groups),
                       config.bias,
                       r.input_gradient_needed(),
                       r.training() && !r.parameters_frozen(),
                       r.training(),
                       {}};
    if (r.epilogues() == 0) return s;
    const Epilogue e = r.epilogue();
    if (!s.activation.set(e.name, e.alpha, e.beta)) throw Error("cannot absorb ", e.name);
    return s;
  }

  // body(place in plain order, place in stored order)
  template <class Body>
  void each_weight(const Body& body) const {
    const size_t channels = shape.channels / shape.groups, taps = shape.window.taps();
    size_t plain = 0;
    for (size_t f = 0; f < shape.filters; ++f) {
      for (size_t c = 0; c < channels; ++c) {
        for (size_t t = 0; t < taps; ++t, ++plain) {
          body(plain, shape.groups > 1 ? plain : convolution::stored_place(shape, f, c, t));
        }
      }
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.convolution", "1.0.0", "Apache-2.0", layer<Convolution>("plait.convolution"),
             numerics(&convolution::onednn_facts));
