#include "onednn.hpp"

#include <plait/activation.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>

#include "direct.hpp"

namespace convolution {

using dnnl::memory;
using plait::sdk::Context;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::LayerCall;
using plait::sdk::onednn_attributes;
using plait::sdk::OneDnnCall;
using plait::sdk::OneDnnWeights;
using Tag = memory::format_tag;

namespace {

memory::dims spatial(const ConvolutionShape& s, const plait::sdk::Window::Extents& extents,
                     int64_t minus = 0) {
  memory::dims dims;
  for (int a = s.window.first(); a < 3; ++a) dims.push_back(extents[static_cast<size_t>(a)] - minus);
  return dims;
}

memory::dims joined(memory::dims first, const memory::dims& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

memory::data_type type_of(const ConvolutionShape& s) {
  return s.bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::desc activations(const ConvolutionShape& s, size_t channels,
                         const plait::sdk::Window::Extents& extents) {
  constexpr Tag kTags[] = {Tag::nwc, Tag::nhwc, Tag::ndhwc};
  const memory::dims dims{static_cast<int64_t>(s.batch), static_cast<int64_t>(channels)};
  return {joined(dims, spatial(s, extents)), type_of(s), kTags[s.window.axes - 1]};
}

// As they are stored, or as a primitive wants them, in this type.
memory::desc weights(const ConvolutionShape& s, bool any, memory::data_type type = memory::data_type::f32) {
  constexpr Tag kPlain[] = {Tag::goiw, Tag::goihw, Tag::goidhw};
  constexpr Tag kBlocked[] = {Tag::Acb16a, Tag::Acdb16a, Tag::Acdeb16a};
  const auto groups = static_cast<int64_t>(s.groups), axis = static_cast<int64_t>(s.window.axes) - 1;
  memory::dims dims;
  if (groups > 1) dims.push_back(groups);
  dims.push_back(static_cast<int64_t>(s.filters) / groups);
  dims.push_back(static_cast<int64_t>(s.channels) / groups);
  const Tag stored = groups > 1 ? kPlain[axis] : kBlocked[axis];
  return {joined(dims, spatial(s, s.window.kernel)), type, any ? Tag::any : stored};
}

size_t whole_lines(Checked bytes) { return round_up(bytes, 64); }

}  // namespace

struct OneDnn::Parts {
  ConvolutionShape s;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  memory::desc x, y, stored, bias;
  bool in_convolution = plait::sdk::onednn_keeps_nan(s.activation);  // the function
  OneDnnWeights for_forward, for_dx, for_dw;
  std::optional<OneDnnCall> convolve, input_gradient, weight_gradient;
  // Workspace, bytes: weights in another order, gradient of the sum before the activation, scratchpads.
  size_t undone = 0, scratchpad = 0, total = 0;

  explicit Parts(const ConvolutionShape& shape)
      : s(shape),
        x(activations(s, s.channels, s.window.input)),
        y(activations(s, s.filters, s.window.output)),
        stored(weights(s, false)),
        bias({static_cast<int64_t>(s.filters)}, memory::data_type::f32, Tag::x) {
    if (stored.get_size() != stored_weights(s) * sizeof(float))
      throw Error("oneDNN stores weights in another size");
    const auto forward = make_forward();
    if (s.training && s.need_dx) make_input_gradient(forward);
    if (s.training && s.need_dw) make_weight_gradient(forward);
    lay_out();
  }

  dnnl::convolution_forward::primitive_desc make_forward() {
    const memory::dims low = spatial(s, s.window.padding);
    const dnnl::convolution_forward::primitive_desc pd(
        engine, s.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
        dnnl::algorithm::convolution_direct, x, weights(s, true, type_of(s)),
        s.has_bias ? bias : memory::desc(), y, spatial(s, s.window.stride), spatial(s, s.window.dilation, 1),
        low, low, onednn_attributes(in_convolution ? s.activation : Activation{}));
    for_forward.read(engine, stored, pd.weights_desc());
    std::vector<OneDnnCall::Argument> arguments{
        {DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, pd.weights_desc()}, {DNNL_ARG_DST, y}};
    if (s.has_bias) arguments.push_back({DNNL_ARG_BIAS, bias});
    convolve.emplace(engine, dnnl::convolution_forward(pd), arguments, pd.scratchpad_desc());
    return pd;
  }
  void make_input_gradient(const dnnl::convolution_forward::primitive_desc& forward) {
    const memory::dims low = spatial(s, s.window.padding);
    const dnnl::convolution_backward_data::primitive_desc pd(
        engine, dnnl::algorithm::convolution_direct, x, weights(s, true, type_of(s)), y,
        spatial(s, s.window.stride), spatial(s, s.window.dilation, 1), low, low, forward,
        onednn_attributes({}));
    for_dx.read(engine, stored, pd.weights_desc());
    input_gradient.emplace(
        engine, dnnl::convolution_backward_data(pd),
        std::vector<OneDnnCall::Argument>{
            {DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_WEIGHTS, pd.weights_desc()}, {DNNL_ARG_DIFF_SRC, x}},
        pd.scratchpad_desc());
  }
  void make_weight_gradient(const dnnl::convolution_forward::primitive_desc& forward) {
    const memory::dims low = spatial(s, s.window.padding);
    const dnnl::convolution_backward_weights::primitive_desc pd(
        engine, dnnl::algorithm::convolution_direct, x, weights(s, true), s.has_bias ? bias : memory::desc(),
        y, spatial(s, s.window.stride), spatial(s, s.window.dilation, 1), low, low, forward,
        onednn_attributes({}));
    for_dw.write(engine, pd.diff_weights_desc(), stored);
    std::vector<OneDnnCall::Argument> arguments{
        {DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_DIFF_WEIGHTS, for_dw.desc()}};
    if (s.has_bias) arguments.push_back({DNNL_ARG_DIFF_BIAS, bias});
    weight_gradient.emplace(engine, dnnl::convolution_backward_weights(pd), arguments, pd.scratchpad_desc());
  }
  void lay_out() {
    for (const OneDnnWeights* w : {&for_forward, &for_dx, &for_dw}) undone = std::max(undone, w->bytes());
    const bool undoes = s.training && s.activates();
    scratchpad =
        Checked(undone) + (undoes ? whole_lines(Checked(s.batch) * s.sample_outputs() * s.value_bytes()) : 0);
    size_t most = 0;
    for (const auto* call : {&convolve, &input_gradient, &weight_gradient}) {
      if (*call) most = std::max(most, (*call)->scratchpad_bytes());
    }
    for (const OneDnnWeights* w : {&for_forward, &for_dx, &for_dw})
      most = std::max(most, w->scratchpad_bytes());
    total = Checked(scratchpad) + most;
  }

  // The stored weights as a primitive wants them.
  const void* turned(const OneDnnWeights& w, const LayerCall& call) const {
    auto* const place = call.workspace<uint8_t>();
    return w.turned(call.parameter(0), place, place + scratchpad);
  }

  // What the primitive has not: a function whose post-op is not the same.
  template <class T>
  void activate_behind(Context& c, const LayerCall& call) const {
    T* const made = call.output().data<T>().data();
    plait::sdk::activate(c, s.activation, made, made, s.batch * s.sample_outputs());
  }
  // The gradient of the sum before the activation, made in the workspace.
  template <class T>
  const void* undo_into(Context& c, const LayerCall& call) const {
    T* const to = reinterpret_cast<T*>(call.workspace<uint8_t>() + undone);
    plait::sdk::undo_activation(c, s.activation, call.output().data<const T>().data(),
                                call.output_gradient().data<const T>().data(), to,
                                s.batch * s.sample_outputs());
    return to;
  }
};

OneDnn::OneDnn(const ConvolutionShape& shape) {
  try {
    parts_ = std::make_unique<Parts>(shape);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this convolution: ", error.what());
  }
}
OneDnn::~OneDnn() = default;
OneDnn::OneDnn(OneDnn&&) noexcept = default;

size_t OneDnn::workspace_bytes() const { return parts_->total; }

void OneDnn::note(const plait::sdk::KernelNotes& notes) const {
  const Parts& p = *parts_;
  note_forward(notes, p.for_forward.reorder());
  note_forward(notes, p.convolve);
  if (!p.in_convolution) notes.forward(std::string("own:") + p.s.activation.name());
  note_backward(notes, p.weight_gradient);
  note_backward(notes, p.for_dw.reorder());
  note_backward(notes, p.for_dx.reorder());
  note_backward(notes, p.input_gradient);
}

void OneDnn::forward(Context& c, const LayerCall& call) const {
  const Parts& p = *parts_;
  const void* w = p.turned(p.for_forward, call);
  void* const scratch = call.workspace<uint8_t>() + p.scratchpad;
  const void *x = call.input().raw(), *y = call.output().raw();
  if (p.s.has_bias) {
    p.convolve->run({x, w, y, call.parameter(1)}, scratch);
  } else {
    p.convolve->run({x, w, y}, scratch);
  }
  if (!p.in_convolution) p.s.bf16 ? p.activate_behind<uint16_t>(c, call) : p.activate_behind<float>(c, call);
}

void OneDnn::backward(Context& c, const LayerCall& call) const {
  const Parts& p = *parts_;
  void* const scratch = call.workspace<uint8_t>() + p.scratchpad;
  const void* const x = call.input().raw();
  const void* const dy = !p.s.activates() ? call.output_gradient().raw()
                         : p.s.bf16       ? p.undo_into<uint16_t>(c, call)
                                          : p.undo_into<float>(c, call);
  float* const dw = call.parameter_gradient(0);
  if (p.weight_gradient && dw) {
    float* const to = p.for_dw.made_in(dw, call.workspace<uint8_t>());
    float* const db = p.s.has_bias ? call.parameter_gradient(1) : nullptr;
    if (p.s.has_bias) {
      p.weight_gradient->run({x, dy, to, db}, scratch);
    } else {
      p.weight_gradient->run({x, dy, to}, scratch);
    }
    p.for_dw.store(to, dw, scratch);
  }
  if (p.input_gradient && call.input_gradient()) {
    const void* w = p.turned(p.for_dx, call);
    p.input_gradient->run({dy, w, call.input_gradient().raw()}, scratch);
  }
}

}  // namespace convolution
