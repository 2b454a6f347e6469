#include "quantized.hpp"

#include <plait/onednn_int8.hpp>

namespace convolution {

using dnnl::memory;
using plait::sdk::Context;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::Int8Layer;
using plait::sdk::LayerCall;
using plait::sdk::Window;
using Tag = memory::format_tag;

namespace {

// The first extents, then one for each axis of the window.
memory::dims dims(std::initializer_list<size_t> first, const Window& w, const Window::Extents& extents,
                  int64_t minus = 0) {
  memory::dims all;
  for (const size_t extent : first) all.push_back(static_cast<memory::dim>(extent));
  for (int a = w.first(); a < 3; ++a) all.push_back(extents[static_cast<size_t>(a)] - minus);
  return all;
}

memory::desc activations(const ConvolutionShape& s, size_t channels, const Window::Extents& extents,
                         memory::data_type type) {
  constexpr Tag kTags[] = {Tag::nwc, Tag::nhwc, Tag::ndhwc};
  return {dims({s.batch, channels}, s.window, extents), type, kTags[s.window.axes - 1]};
}

// In plain order, [filters, channels / groups, taps], or as the primitive likes them.
memory::desc weights(const ConvolutionShape& s, bool any) {
  constexpr Tag kPlain[] = {Tag::oiw, Tag::oihw, Tag::oidhw},
                kGroups[] = {Tag::goiw, Tag::goihw, Tag::goidhw};
  const size_t filters = s.filters / s.groups, channels = s.channels / s.groups;
  const Tag plain = (s.groups > 1 ? kGroups : kPlain)[s.window.axes - 1];
  return {s.groups > 1 ? dims({s.groups, filters, channels}, s.window, s.window.kernel)
                       : dims({filters, channels}, s.window, s.window.kernel),
          memory::data_type::s8, any ? Tag::any : plain};
}

}  // namespace

struct Quantized::Parts {
  ConvolutionShape s;
  Int8Layer layer;

  Parts(const ConvolutionShape& shape, plait::sdk::Range range) : s(shape), layer(range, shape.has_bias) {
    constexpr auto kF32 = memory::data_type::f32;
    const Window& w = s.window;
    const memory::desc x = activations(s, s.channels, w.input, layer.input().type()),
                       y = activations(s, s.filters, w.output, kF32),
                       bias({static_cast<memory::dim>(s.filters)}, kF32, Tag::x);
    const memory::dims low = dims({}, w, w.padding);
    const int per_filter = s.groups > 1 ? (1 << 0) | (1 << 1) : 1 << 0;
    const dnnl::convolution_forward::primitive_desc pd(
        layer.engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x,
        weights(s, true), s.has_bias ? bias : memory::desc(), y, dims({}, w, w.stride),
        dims({}, w, w.dilation, 1), low, low, int8_attributes(s.activation, per_filter));
    layer.take_weights(weights(s, false), pd.weights_desc(), s.filters, terms(),
                       plait::sdk::Int8For::kConvolution);
    layer.take_primitive(dnnl::convolution_forward(pd), x, bias, y, pd.scratchpad_desc(),
                         Checked(s.batch) * s.sample_inputs());
  }

  size_t terms() const { return s.channels / s.groups * s.window.taps(); }
};

Quantized::Quantized(const ConvolutionShape& shape, plait::sdk::Range range) {
  try {
    parts_ = std::make_unique<Parts>(shape, range);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported,
                "oneDNN cannot compute this convolution of 8-bit integers: ", error.what());
  }
}
Quantized::~Quantized() = default;
Quantized::Quantized(Quantized&&) noexcept = default;

bool Quantized::wins(const ConvolutionShape& s) { return s.channels >= 16 || s.filters >= 16; }

size_t Quantized::workspace_bytes() const { return parts_->layer.workspace_bytes(); }
size_t Quantized::prepared_bytes() const { return parts_->layer.prepared_bytes(); }
void Quantized::note(const plait::sdk::KernelNotes& notes) const { parts_->layer.note(notes); }

void Quantized::prepare(const LayerCall& call) const {
  const ConvolutionShape& s = parts_->s;
  const size_t terms = parts_->terms(), taps = s.window.taps();
  const auto plain = [terms](size_t filter, size_t term) { return filter * terms + term; };
  const auto stored = [&](size_t filter, size_t term) {
    return s.groups > 1 ? plain(filter, term) : stored_place(s, filter, term / taps, term % taps);
  };
  parts_->layer.prepare(call, stored, plain);
}

void Quantized::forward(Context& c, const LayerCall& call) const { parts_->layer.forward(c, call); }

}  // namespace convolution
