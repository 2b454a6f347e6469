// upsample by oneDNN's resampling. Threads: as <plait/onednn.hpp>; bits do not follow from lanes.
// Fails with: kUnsupported for what oneDNN does not compute.
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

namespace layers {

using namespace plait::sdk;

class Resampling {
 public:
  // how: resampling_nearest or resampling_linear, of centres as upsample has them.
  Resampling(dnnl::algorithm how, const LayerRequest& r, LayerNeeds& n) {
    n.backward_reads(Reads::nothing);
    if (r.input().size() == 0) return;
    try {
      make(how, activations(r.input()), activations(r.output()), r.input_gradient_needed());
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this upsampling: ", error.what());
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
    backward_->run({call.output_gradient().f32().data(), call.input_gradient().f32().data()},
                   call.workspace());
  }

  void note(const KernelNotes& notes) const {
    note_forward(notes, forward_);
    note_backward(notes, backward_);
  }

 private:
  static dnnl::memory::desc activations(Spec x) {
    using Tag = dnnl::memory::format_tag;
    static constexpr Tag kTags[] = {Tag::nwc, Tag::nhwc, Tag::ndhwc};
    dnnl::memory::dims dims{x.shape(0), x.shape(-1)};
    for (int axis = 1; axis + 1 < x.rank(); ++axis) dims.push_back(x.shape(axis));
    return {dims, dnnl::memory::data_type::f32, kTags[x.rank() - 3]};
  }

  void make(dnnl::algorithm how, const dnnl::memory::desc& x, const dnnl::memory::desc& y, bool gradient) {
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    using Arguments = std::vector<OneDnnCall::Argument>;
    const dnnl::resampling_forward::primitive_desc forward(e, dnnl::prop_kind::forward_training, how, x, y,
                                                           onednn_attributes({}));
    forward_.emplace(e, dnnl::resampling_forward(forward), Arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}},
                     forward.scratchpad_desc());
    if (!gradient) return;
    const dnnl::resampling_backward::primitive_desc backward(e, how, x, y, forward, onednn_attributes({}));
    backward_.emplace(e, dnnl::resampling_backward(backward),
                      Arguments{{DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_DIFF_SRC, x}}, backward.scratchpad_desc());
  }

  std::optional<OneDnnCall> forward_, backward_;
};

}  // namespace layers
