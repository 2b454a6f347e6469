#include "onednn.hpp"

#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>

#include "batch_norm.h"

using dnnl::memory;
using plait::sdk::Checked;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::LayerCall;
using plait::sdk::onednn_attributes;
using plait::sdk::OneDnnCall;
using plait::sdk::round_up;
using Flags = dnnl::normalization_flags;

namespace layers {

struct BatchNormOneDnn::Parts {
  BatchNormShape s;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  memory::desc x, of_channels;  // x: all places as one axis, nothing lies beside anything
  std::optional<OneDnnCall> normalize, gradient;
  // Of the workspace, bytes: gradients that nobody needs come first, those of parameters, then the input's:
  // oneDNN makes all or none. Then scratchpads.
  size_t unneeded_dx = 0, scratchpad = 0, total = 0;

  explicit Parts(const BatchNormShape& shape)
      : s(shape),
        x({s.rows, s.channels, 1, 1}, memory::data_type::f32, memory::format_tag::nhwc),
        of_channels({s.channels}, memory::data_type::f32, memory::format_tag::a) {
    const Flags flags = Flags::use_scale | Flags::use_shift;
    const auto epsilon = static_cast<float>(s.epsilon);
    const dnnl::batch_normalization_forward::primitive_desc pd(engine, dnnl::prop_kind::forward_training, x,
                                                               x, epsilon, flags, onednn_attributes({}));
    normalize.emplace(engine, dnnl::batch_normalization_forward(pd),
                      std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC, x},
                                                        {DNNL_ARG_DST, x},
                                                        {DNNL_ARG_SCALE, of_channels},
                                                        {DNNL_ARG_SHIFT, of_channels},
                                                        {DNNL_ARG_MEAN, of_channels},
                                                        {DNNL_ARG_VARIANCE, of_channels}},
                      pd.scratchpad_desc());
    const dnnl::batch_normalization_backward::primitive_desc back(engine, dnnl::prop_kind::backward, x, x, x,
                                                                  epsilon, flags, pd, onednn_attributes({}));
    gradient.emplace(engine, dnnl::batch_normalization_backward(back),
                     std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC, x},
                                                       {DNNL_ARG_DIFF_DST, x},
                                                       {DNNL_ARG_DIFF_SRC, x},
                                                       {DNNL_ARG_SCALE, of_channels},
                                                       {DNNL_ARG_MEAN, of_channels},
                                                       {DNNL_ARG_VARIANCE, of_channels},
                                                       {DNNL_ARG_DIFF_SCALE, of_channels},
                                                       {DNNL_ARG_DIFF_SHIFT, of_channels}},
                     back.scratchpad_desc());
    unneeded_dx = round_up(Checked(s.channels) * 2 * sizeof(float), 64);
    scratchpad = round_up(Checked(unneeded_dx) + x.get_size(), 64);
    total = Checked(scratchpad) + std::max(normalize->scratchpad_bytes(), gradient->scratchpad_bytes());
  }
};

BatchNormOneDnn::BatchNormOneDnn(const BatchNormShape& shape) {
  try {
    parts_ = std::make_unique<Parts>(shape);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this normalization: ", error.what());
  }
}
BatchNormOneDnn::~BatchNormOneDnn() = default;
BatchNormOneDnn::BatchNormOneDnn(BatchNormOneDnn&&) noexcept = default;

size_t BatchNormOneDnn::workspace_bytes() const { return parts_->total; }

void BatchNormOneDnn::forward(const LayerCall& call, double share) const {
  const Parts& p = *parts_;
  const auto channels = static_cast<size_t>(p.s.channels);
  const float *mean = call.saved<float>(), *variance = mean + channels;
  p.normalize->run({call.input().f32().data(), call.output().f32().data(), call.parameter(0),
                    call.parameter(1), mean, variance},
                   call.workspace<uint8_t>() + p.scratchpad);
  const double count = static_cast<double>(p.s.rows), unbiased = count / std::max(count - 1, 1.0);
  const auto follow = [&](float& running, double batch) {
    running = BatchNorm::followed(running, batch, share);
  };
  for (size_t k = 0; k < channels; ++k) {
    follow(call.buffer(0)[k], mean[k]);
    follow(call.buffer(1)[k], variance[k] * unbiased);
  }
}

void BatchNormOneDnn::backward(const LayerCall& call) const {
  const Parts& p = *parts_;
  auto* const workspace = call.workspace<uint8_t>();
  auto* const unneeded = reinterpret_cast<float*>(workspace);
  const float *mean = call.saved<float>(), *variance = mean + p.s.channels;
  float *dw = call.parameter_gradient(0), *db = call.parameter_gradient(1);
  if (!dw) dw = unneeded;
  if (!db) db = unneeded + p.s.channels;
  const float* const dx =
      call.input_gradient() ? call.input_gradient().f32().data() : unneeded + p.unneeded_dx / sizeof(float);
  p.gradient->run({call.input().f32().data(), call.output_gradient().f32().data(), dx, call.parameter(0),
                   mean, variance, dw, db},
                  workspace + p.scratchpad);
}

void BatchNormOneDnn::note(const plait::sdk::KernelNotes& notes) const {
  note_forward(notes, parts_->normalize);
  note_backward(notes, parts_->gradient);
}

}  // namespace layers
