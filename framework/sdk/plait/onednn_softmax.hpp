// oneDNN's softmax and its logarithm over the last axis, for layers that are made with ONEDNN.
//
// Shapes: x [..., C] f32, y alike; y may be x, dx may be dy. Sums are f32; a NaN may leave the rest of
// its row as it is. Threads: as onednn.hpp; a row's
// bits do not follow from lanes. Fails with: kUnsupported for what oneDNN does not compute.
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

namespace plait::sdk {

class OneDnnSoftmax {
 public:
  // how: softmax_accurate or softmax_log.
  OneDnnSoftmax(dnnl::algorithm how, const LayerRequest& r, LayerNeeds& n) {
    const auto size = static_cast<int64_t>(r.input().size()), channels = r.input().shape(-1);
    if (size == 0) return;
    try {
      make(how, {{size / channels, channels}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab},
           r.input_gradient_needed());
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this softmax: ", error.what());
    }
    size_t scratch = forward_->scratchpad_bytes();
    if (backward_) scratch = std::max(scratch, backward_->scratchpad_bytes());
    n.workspace(scratch);
  }

  void forward(const LayerCall& call) const {
    if (forward_) forward_->run({call.input().f32().data(), call.output().f32().data()}, call.workspace());
  }
  void backward(const LayerCall& call) const {
    if (!backward_ || !call.input_gradient()) return;
    backward_->run(
        {call.output().f32().data(), call.output_gradient().f32().data(), call.input_gradient().f32().data()},
        call.workspace());
  }

  void note(const KernelNotes& notes) const {
    note_forward(notes, forward_);
    note_backward(notes, backward_);
  }

 private:
  void make(dnnl::algorithm how, const dnnl::memory::desc& rows, bool gradient) {
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    const dnnl::softmax_forward::primitive_desc forward(e, dnnl::prop_kind::forward_training, how, rows, rows,
                                                        1, onednn_attributes({}));
    forward_.emplace(e, dnnl::softmax_forward(forward),
                     std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC, rows}, {DNNL_ARG_DST, rows}},
                     forward.scratchpad_desc());
    if (!gradient) return;
    const dnnl::softmax_backward::primitive_desc backward(e, how, rows, rows, rows, 1, forward,
                                                          onednn_attributes({}));
    backward_.emplace(e, dnnl::softmax_backward(backward),
                      std::vector<OneDnnCall::Argument>{
                          {DNNL_ARG_DST, rows}, {DNNL_ARG_DIFF_DST, rows}, {DNNL_ARG_DIFF_SRC, rows}},
                      backward.scratchpad_desc());
  }

  std::optional<OneDnnCall> forward_, backward_;
};

}  // namespace plait::sdk
