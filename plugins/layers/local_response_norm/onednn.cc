#include "onednn.hpp"

#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>

using dnnl::memory;
using plait::sdk::Error;
using plait::sdk::ErrorCode;
using plait::sdk::LayerCall;
using plait::sdk::onednn_attributes;
using plait::sdk::OneDnnCall;

namespace local_response_norm {

struct OneDnn::Parts {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  memory::desc x;  // places along one axis: what lies beside what within the channels alone matters
  std::optional<OneDnnCall> normalize, gradient;
  size_t workspace = 0, saved = 0;  // bytes

  explicit Parts(const OneDnnShape& s)
      : x({1, s.channels, s.rows, 1}, memory::data_type::f32, memory::format_tag::nhwc) {
    const dnnl::lrn_forward::primitive_desc pd(
        engine, s.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
        dnnl::algorithm::lrn_across_channels, x, x, s.size, static_cast<float>(s.alpha),
        static_cast<float>(s.beta), static_cast<float>(s.k), onednn_attributes({}));
    const memory::desc kept = pd.workspace_desc();
    std::vector<OneDnnCall::Argument> arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, x}};
    if (s.training && kept.get_size() > 0) arguments.push_back({DNNL_ARG_WORKSPACE, kept});
    normalize.emplace(engine, dnnl::lrn_forward(pd), arguments, pd.scratchpad_desc());
    workspace = normalize->scratchpad_bytes();
    if (!s.training) return;
    saved = kept.get_size();
    const dnnl::lrn_backward::primitive_desc back(
        engine, dnnl::algorithm::lrn_across_channels, x, x, x, s.size, static_cast<float>(s.alpha),
        static_cast<float>(s.beta), static_cast<float>(s.k), pd, onednn_attributes({}));
    arguments = {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, x}, {DNNL_ARG_DIFF_SRC, x}};
    if (saved > 0) arguments.push_back({DNNL_ARG_WORKSPACE, kept});
    gradient.emplace(engine, dnnl::lrn_backward(back), arguments, back.scratchpad_desc());
    workspace = std::max(workspace, gradient->scratchpad_bytes());
  }
};

OneDnn::OneDnn(const OneDnnShape& shape) {
  try {
    parts_ = std::make_unique<Parts>(shape);
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this normalization: ", error.what());
  }
}
OneDnn::~OneDnn() = default;
OneDnn::OneDnn(OneDnn&&) noexcept = default;

size_t OneDnn::workspace_bytes() const { return parts_->workspace; }
size_t OneDnn::saved_bytes() const { return parts_->saved; }

void OneDnn::forward(const LayerCall& call) const {
  const float *x = call.input().f32().data(), *y = call.output().f32().data();
  if (parts_->saved > 0) return parts_->normalize->run({x, y, call.saved()}, call.workspace());
  parts_->normalize->run({x, y}, call.workspace());
}

void OneDnn::backward(const LayerCall& call) const {
  const float *x = call.input().f32().data(), *dy = call.output_gradient().f32().data();
  const float* dx = call.input_gradient().f32().data();
  if (parts_->saved > 0) return parts_->gradient->run({x, dy, dx, call.saved()}, call.workspace());
  parts_->gradient->run({x, dy, dx}, call.workspace());
}

void OneDnn::note(const plait::sdk::KernelNotes& notes) const {
  note_forward(notes, parts_->normalize);
  note_backward(notes, parts_->gradient);
}

}  // namespace local_response_norm
