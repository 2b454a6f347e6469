#include "onednn.hpp"

#include <plait/onednn.hpp>

#include <algorithm>
#include <optional>

using dnnl::memory;
using plait::sdk::Checked;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::LayerCall;
using plait::sdk::onednn_attributes;
using plait::sdk::OneDnnCall;
using plait::sdk::round_up;
using Flags = dnnl::normalization_flags;
using Arguments = std::vector<OneDnnCall::Argument>;

struct LayerNormOneDnn::Parts {
  LayerNormShape s;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  memory::desc x, of_rows, of_columns;
  std::optional<OneDnnCall> normalize, gradient;
  // Of the workspace, bytes: gradients that nobody needs come first, those of parameters, then the input's:
  // oneDNN makes all or none. Then scratchpads.
  size_t unneeded_dx = 0, scratchpad = 0, total = 0;

  explicit Parts(const LayerNormShape& shape)
      : s(shape),
        x({s.rows, s.columns}, memory::data_type::f32, memory::format_tag::ab),
        of_rows({s.rows}, memory::data_type::f32, memory::format_tag::a),
        of_columns({s.columns}, memory::data_type::f32, memory::format_tag::a) {
    const Flags flags = s.affine ? Flags::use_scale | Flags::use_shift : Flags::none;
    const auto epsilon = static_cast<float>(s.epsilon);
    const dnnl::layer_normalization_forward::primitive_desc pd(
        engine, s.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, x, x,
        of_rows, epsilon, flags, onednn_attributes({}));
    Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, x}};
    if (s.affine) add(arguments, {DNNL_ARG_SCALE, DNNL_ARG_SHIFT}, of_columns);
    if (s.training) add(arguments, {DNNL_ARG_MEAN, DNNL_ARG_VARIANCE}, of_rows);
    normalize.emplace(engine, dnnl::layer_normalization_forward(pd), arguments, pd.scratchpad_desc());
    size_t most = normalize->scratchpad_bytes();
    if (s.training) {
      make_gradient(pd, epsilon, flags);
      most = std::max(most, gradient->scratchpad_bytes());
      if (s.affine) unneeded_dx = round_up(Checked(s.columns) * 2 * sizeof(float), 64);
      scratchpad = round_up(Checked(unneeded_dx) + x.get_size(), 64);
    }
    total = Checked(scratchpad) + most;
  }

  static void add(Arguments& arguments, std::initializer_list<int> names, const memory::desc& desc) {
    for (const int name : names) arguments.push_back({name, desc});
  }

  // The shift is an argument of backward too, though nothing depends on it. With weights there is no
  // backward of the input alone.
  void make_gradient(const dnnl::layer_normalization_forward::primitive_desc& forward, float epsilon,
                     Flags flags) {
    const dnnl::layer_normalization_backward::primitive_desc pd(
        engine, s.affine ? dnnl::prop_kind::backward : dnnl::prop_kind::backward_data, x, x, x, of_rows,
        epsilon, flags, forward, onednn_attributes({}));
    Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, x}, {DNNL_ARG_DIFF_SRC, x}};
    add(arguments, {DNNL_ARG_MEAN, DNNL_ARG_VARIANCE}, of_rows);
    if (s.affine)
      add(arguments, {DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT}, of_columns);
    gradient.emplace(engine, dnnl::layer_normalization_backward(pd), arguments, pd.scratchpad_desc());
  }
};

LayerNormOneDnn::LayerNormOneDnn(const LayerNormShape& shape) {
  try {
    parts_ = std::make_unique<Parts>(shape);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this normalization: ", error.what());
  }
}
LayerNormOneDnn::~LayerNormOneDnn() = default;
LayerNormOneDnn::LayerNormOneDnn(LayerNormOneDnn&&) noexcept = default;

size_t LayerNormOneDnn::workspace_bytes() const { return parts_->total; }
size_t LayerNormOneDnn::saved_bytes() const {
  return parts_->s.training ? size_t{Checked(parts_->s.rows) * 2 * sizeof(float)} : 0;
}

void LayerNormOneDnn::forward(const LayerCall& call) const {
  const Parts& p = *parts_;
  void* const scratch = call.workspace<uint8_t>() + p.scratchpad;
  const float *x = call.input().f32().data(), *y = call.output().f32().data();
  const float *mean = call.saved<float>(), *variance = mean ? mean + p.s.rows : nullptr;
  if (!p.s.training)
    return p.s.affine ? p.normalize->run({x, y, call.parameter(0), call.parameter(1)}, scratch)
                      : p.normalize->run({x, y}, scratch);
  if (p.s.affine)
    return p.normalize->run({x, y, call.parameter(0), call.parameter(1), mean, variance}, scratch);
  p.normalize->run({x, y, mean, variance}, scratch);
}

void LayerNormOneDnn::backward(const LayerCall& call) const {
  const Parts& p = *parts_;
  auto* const unneeded = call.workspace<float>();
  void* const scratch = call.workspace<uint8_t>() + p.scratchpad;
  const float *x = call.input().f32().data(), *dy = call.output_gradient().f32().data();
  const float* dx = call.input_gradient() ? call.input_gradient().f32().data()
                                          : call.workspace<float>() + p.unneeded_dx / sizeof(float);
  const float *mean = call.saved<float>(), *variance = mean + p.s.rows;
  if (!p.s.affine) return p.gradient->run({x, dy, dx, mean, variance}, scratch);
  float *dw = call.parameter_gradient(0), *db = call.parameter_gradient(1);
  if (!dw) dw = unneeded;
  if (!db) db = unneeded + p.s.columns;
  p.gradient->run({x, dy, dx, mean, variance, call.parameter(0), call.parameter(1), dw, db}, scratch);
}
