// prelu by oneDNN's primitive: x [rows, C], not empty, beside slopes [C] or [1]. The slopes' gradient is
// summed in f32.
//
// Fails with: kUnsupported for what oneDNN does not compute. Threads: as plait/onednn.hpp
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>

namespace layers {

using namespace plait::sdk;

class PreluOneDnn {
 public:
  PreluOneDnn(bool shared, const LayerRequest& r, LayerNeeds& n) {
    const auto channels = r.input().shape(-1), size = static_cast<int64_t>(r.input().size());
    try {
      make(matrix(size / channels, channels), matrix(1, shared ? 1 : channels), r.training());
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this prelu: ", error.what());
    }
    slopes_bytes_ = round_up(Checked(shared ? 1 : channels) * sizeof(float), 64);
    scratch_bytes_ = forward_->scratchpad_bytes();
    if (backward_) scratch_bytes_ = std::max(scratch_bytes_, backward_->scratchpad_bytes());
    scratch_bytes_ = round_up(Checked(scratch_bytes_), 64);
    // oneDNN makes both gradients: what nobody needs of them lies after the scratchpad.
    const Checked unneeded =
        r.training() ? Checked(slopes_bytes_) + Checked(size) * sizeof(float) : Checked(0);
    n.workspace(Checked(scratch_bytes_) + unneeded);
  }

  void forward(const LayerCall& call) const {
    forward_->run({call.input().f32().data(), call.parameter(0), call.output().f32().data()},
                  call.workspace());
  }
  void backward(const LayerCall& call) const {
    uint8_t* const unneeded = call.workspace<uint8_t>() + scratch_bytes_;
    const float* const dw = call.parameter_gradient(0);
    const float* const dx = call.input_gradient() ? call.input_gradient().f32().data() : nullptr;
    backward_->run({call.input().f32().data(), call.parameter(0), call.output_gradient().f32().data(),
                    dx ? static_cast<const void*>(dx) : unneeded + slopes_bytes_,
                    dw ? static_cast<const void*>(dw) : unneeded},
                   call.workspace());
  }

  void note(const KernelNotes& notes) const {
    note_forward(notes, forward_);
    note_backward(notes, backward_);
  }

 private:
  static dnnl::memory::desc matrix(int64_t rows, int64_t columns) {
    return {{rows, columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab};
  }
  void make(const dnnl::memory::desc& x, const dnnl::memory::desc& w, bool training) {
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    const dnnl::prelu_forward::primitive_desc forward(e, dnnl::prop_kind::forward_training, x, w, x,
                                                      onednn_attributes({}));
    forward_.emplace(
        e, dnnl::prelu_forward(forward),
        std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, x}},
        forward.scratchpad_desc());
    if (!training) return;
    const dnnl::prelu_backward::primitive_desc backward(e, x, w, x, w, x, forward, onednn_attributes({}));
    backward_.emplace(e, dnnl::prelu_backward(backward),
                      std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC, x},
                                                        {DNNL_ARG_WEIGHTS, w},
                                                        {DNNL_ARG_DIFF_DST, x},
                                                        {DNNL_ARG_DIFF_SRC, x},
                                                        {DNNL_ARG_DIFF_WEIGHTS, w}},
                      backward.scratchpad_desc());
  }

  std::optional<OneDnnCall> forward_, backward_;
  size_t slopes_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace layers
