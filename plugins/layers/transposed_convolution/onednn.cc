#include "onednn.hpp"

#include <plait/bf16.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include <plait/simd/activation.inc.hpp>
#include "bias.inc.hpp"
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include <plait/simd/activation.inc.hpp>
#include "bias.inc.hpp"
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include <plait/simd/activation.inc.hpp>
#include "bias.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

namespace transposed_convolution {

using dnnl::memory;
using plait::sdk::Checked;
using plait::sdk::Context;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::LayerCall;
using plait::sdk::onednn_attributes;
using plait::sdk::OneDnnCall;
using plait::sdk::OneDnnWeights;
using plait::sdk::round_up;
using Tag = memory::format_tag;

namespace {

memory::dims spatial(const Shape& s, const Shape::Extents& extents, int64_t minus = 0) {
  memory::dims dims;
  for (int a = s.first(); a < 3; ++a) dims.push_back(extents[static_cast<size_t>(a)] - minus);
  return dims;
}

memory::data_type type_of(const Shape& s) {
  return s.bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::desc activations(const Shape& s, int64_t channels, const Shape::Extents& extents) {
  constexpr Tag kTags[] = {Tag::nwc, Tag::nhwc, Tag::ndhwc};
  memory::dims dims{s.batch, channels};
  for (const auto extent : spatial(s, extents)) dims.push_back(extent);
  return {dims, type_of(s), kTags[s.axes - 1]};
}

// Of the convolution that goes from y to x: its filters are this layer's channels, its channels this layer's
// filters.
memory::desc weights(const Shape& s, bool any, memory::data_type type = memory::data_type::f32) {
  constexpr Tag kPlain[] = {Tag::oiw, Tag::oihw, Tag::oidhw},
                kGrouped[] = {Tag::goiw, Tag::goihw, Tag::goidhw};
  memory::dims dims;
  if (s.groups > 1) dims.push_back(s.groups);
  dims.push_back(s.channels / s.groups);
  dims.push_back(s.filters / s.groups);
  for (const auto extent : spatial(s, s.kernel)) dims.push_back(extent);
  const Tag stored = (s.groups > 1 ? kGrouped : kPlain)[s.axes - 1];
  return {dims, type, any ? Tag::any : stored};
}

}  // namespace

struct OneDnn::Parts {
  Shape s;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  memory::desc x, y, stored, any;
  OneDnnWeights for_forward, for_dx, for_dw;
  std::optional<OneDnnCall> spread, input_gradient, weight_gradient;
  // Workspace, bytes: weights in another order, gradient of the sum before the activation, scratchpads.
  size_t undone = 0, scratchpad = 0, total = 0;

  explicit Parts(const Shape& shape)
      : s(shape),
        x(activations(s, s.channels, s.input)),
        y(activations(s, s.filters, s.output)),
        stored(weights(s, false)),
        any(weights(s, true, type_of(s))) {
    const dnnl::convolution_forward::primitive_desc convolution(
        engine, dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, y, any, x,
        spatial(s, s.stride), spatial(s, s.dilation, 1), spatial(s, s.padding), spatial(s, s.padding),
        onednn_attributes({}));
    make_spread(convolution);
    if (s.training && s.need_dx) make_input_gradient(convolution);
    if (s.training && s.need_dw) make_weight_gradient(convolution);
    lay_out();
  }

  // x takes the part of the convolution's output gradient, y that of its input gradient.
  void make_spread(const dnnl::convolution_forward::primitive_desc& convolution) {
    const dnnl::convolution_backward_data::primitive_desc pd(
        engine, dnnl::algorithm::convolution_direct, y, any, x, spatial(s, s.stride),
        spatial(s, s.dilation, 1), spatial(s, s.padding), spatial(s, s.padding), convolution,
        onednn_attributes({}));
    for_forward.read(engine, stored, pd.weights_desc());
    spread.emplace(engine, dnnl::convolution_backward_data(pd),
                   std::vector<OneDnnCall::Argument>{
                       {DNNL_ARG_DIFF_DST, x}, {DNNL_ARG_WEIGHTS, pd.weights_desc()}, {DNNL_ARG_DIFF_SRC, y}},
                   pd.scratchpad_desc());
  }
  void make_input_gradient(const dnnl::convolution_forward::primitive_desc& convolution) {
    for_dx.read(engine, stored, convolution.weights_desc());
    input_gradient.emplace(
        engine, dnnl::convolution_forward(convolution),
        std::vector<OneDnnCall::Argument>{
            {DNNL_ARG_SRC, y}, {DNNL_ARG_WEIGHTS, convolution.weights_desc()}, {DNNL_ARG_DST, x}},
        convolution.scratchpad_desc());
  }
  void make_weight_gradient(const dnnl::convolution_forward::primitive_desc& convolution) {
    const dnnl::convolution_backward_weights::primitive_desc pd(
        engine, dnnl::algorithm::convolution_direct, y, weights(s, true), x, spatial(s, s.stride),
        spatial(s, s.dilation, 1), spatial(s, s.padding), spatial(s, s.padding), convolution,
        onednn_attributes({}));
    for_dw.write(engine, pd.diff_weights_desc(), stored);
    weight_gradient.emplace(
        engine, dnnl::convolution_backward_weights(pd),
        std::vector<OneDnnCall::Argument>{
            {DNNL_ARG_SRC, y}, {DNNL_ARG_DIFF_DST, x}, {DNNL_ARG_DIFF_WEIGHTS, for_dw.desc()}},
        pd.scratchpad_desc());
  }
  void lay_out() {
    for (const OneDnnWeights* w : {&for_forward, &for_dx, &for_dw}) undone = std::max(undone, w->bytes());
    const bool undoes = s.training && s.activates();
    scratchpad =
        Checked(undone) + (undoes ? size_t{round_up(Checked(s.outputs()) * s.value_bytes(), 64)} : size_t{0});
    size_t most = 0;
    for (const auto* call : {&spread, &input_gradient, &weight_gradient}) {
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

  // Bias and activation, in place. T: of the elements.
  template <class T>
  void finish(Context& c, const LayerCall& call) const {
    const float* const bias = s.has_bias ? call.parameter(1) : nullptr;
    const auto filters = static_cast<size_t>(s.filters);
    auto* const all = static_cast<T*>(call.output().raw());
    c.parallel_for(s.outputs() / filters, [&](size_t begin, size_t end) {
      T* const from = all + begin * filters;
      if (bias) PLAIT_SIMD_CALL(add_bias, bias, filters, from, end - begin);
      if (s.activates()) PLAIT_SIMD_CALL(activate_all, s.activation, from, from, (end - begin) * filters);
    });
  }

  // The gradient of the sum before the activation, made in the workspace.
  template <class T>
  const T* undo_activation(Context& c, const LayerCall& call) const {
    auto* const to = reinterpret_cast<T*>(call.workspace<uint8_t>() + undone);
    const auto *made = static_cast<const T*>(call.output().raw()),
               *dy = static_cast<const T*>(call.output_gradient().raw());
    c.parallel_for(s.outputs(), [&](size_t begin, size_t end) {
      PLAIT_SIMD_CALL(slope_all, s.activation, made + begin, dy + begin, to + begin, end - begin);
    });
    return to;
  }

  template <class T>
  void backward(Context& c, const LayerCall& call) const {
    void* const scratch = call.workspace<uint8_t>() + scratchpad;
    const auto* dy = static_cast<const T*>(call.output_gradient().raw());
    if (s.activates()) dy = undo_activation<T>(c, call);
    float* const dw = call.parameter_gradient(0);
    if (weight_gradient && dw) {
      float* const to = for_dw.made_in(dw, call.workspace<uint8_t>());
      weight_gradient->run({dy, call.input().raw(), to}, scratch);
      for_dw.store(to, dw, scratch);
      const auto filters = static_cast<size_t>(s.filters);
      if (s.has_bias)
        PLAIT_SIMD_CALL(sum_bias, dy, filters, s.outputs() / filters, call.parameter_gradient(1));
    }
    if (input_gradient && call.input_gradient())
      input_gradient->run({dy, turned(for_dx, call), call.input_gradient().raw()}, scratch);
  }
};

OneDnn::OneDnn(const Shape& shape) {
  try {
    parts_ = std::make_unique<Parts>(shape);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this transposed convolution: ", error.what());
  }
}
OneDnn::~OneDnn() = default;
OneDnn::OneDnn(OneDnn&&) noexcept = default;

size_t OneDnn::workspace_bytes() const { return parts_->total; }

void OneDnn::note(const plait::sdk::KernelNotes& notes) const {
  const Parts& p = *parts_;
  note_forward(notes, p.for_forward.reorder());
  note_forward(notes, p.spread);
  note_backward(notes, p.weight_gradient);
  note_backward(notes, p.for_dw.reorder());
  note_backward(notes, p.for_dx.reorder());
  note_backward(notes, p.input_gradient);
}

void OneDnn::forward(Context& c, const LayerCall& call) const {
  const Parts& p = *parts_;
  const void* w = p.turned(p.for_forward, call);
  p.spread->run({call.input().raw(), w, call.output().raw()}, call.workspace<uint8_t>() + p.scratchpad);
  if (!p.s.has_bias && !p.s.activates()) return;
  p.s.bf16 ? p.finish<uint16_t>(c, call) : p.finish<float>(c, call);
}

void OneDnn::backward(Context& c, const LayerCall& call) const {
  parts_->s.bf16 ? parts_->backward<uint16_t>(c, call) : parts_->backward<float>(c, call);
}

}  // namespace transposed_convolution
