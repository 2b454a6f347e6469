// oneDNN's pooling for layers of windows (window.hpp) that are made with ONEDNN: the largest number of each,
// or its mean. It does not add to input gradients.
//
// Shapes: x [N, W, C], [N, H, W, C] or [N, D, H, W, C] f32 or bf16; y the same with the window's extents.
// Saved by `largest` in training: oneDNN's places. A NaN that is not in the first place of a window may be
// passed over, which tells it from plait's own loops. Threads: as onednn.hpp; bits do not follow from lanes.
// Fails with: kUnsupported for what oneDNN does not compute.
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>
#include <plait/window.hpp>

namespace plait::sdk {

enum class OneDnnPool { kLargest, kMean, kMeanOfInputs };  // of the mean: with padding as zeros, or without

class OneDnnPooling {
 public:
  OneDnnPooling(OneDnnPool what, const Window& w, const LayerRequest& r, LayerNeeds& n) {
    n.backward_reads(Reads::nothing);
    if (r.input().size() == 0) return;
    try {
      make(what, w, r);
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this pooling: ", error.what());
    }
    size_t scratch = forward_->scratchpad_bytes();
    if (backward_) scratch = std::max(scratch, backward_->scratchpad_bytes());
    n.workspace(scratch);
    if (places_bytes_ > 0) n.saved(places_bytes_);
  }

  void forward(const LayerCall& call) const {
    if (!forward_) return;
    const void *x = call.input().raw(), *y = call.output().raw();
    places_bytes_ > 0 ? forward_->run({x, y, call.saved()}, call.workspace())
                      : forward_->run({x, y}, call.workspace());
  }
  void backward(const LayerCall& call) const {
    if (!backward_ || !call.input_gradient()) return;
    const void *dy = call.output_gradient().raw(), *dx = call.input_gradient().raw();
    places_bytes_ > 0 ? backward_->run({dy, dx, call.saved()}, call.workspace())
                      : backward_->run({dy, dx}, call.workspace());
  }

  void note(const KernelNotes& notes) const {
    note_forward(notes, forward_);
    note_backward(notes, backward_);
  }

 private:
  using Dims = dnnl::memory::dims;

  static Dims spatial(const Window& w, const Window::Extents& extents) {
    return {extents.begin() + w.first(), extents.end()};
  }
  static dnnl::memory::desc activations(const Window& w, Spec x, const Window::Extents& extents) {
    using Tag = dnnl::memory::format_tag;
    static constexpr Tag kTags[] = {Tag::nwc, Tag::nhwc, Tag::ndhwc};
    Dims dims{x.shape(0), x.shape(-1)};
    dims.insert(dims.end(), extents.begin() + w.first(), extents.end());
    return {dims, onednn_type(x.dtype()), kTags[w.axes - 1]};
  }

  void make(OneDnnPool what, const Window& w, const LayerRequest& r) {
    using Algorithm = dnnl::algorithm;
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    const auto x = activations(w, r.input(), w.input), y = activations(w, r.input(), w.output);
    const Algorithm how = what == OneDnnPool::kLargest ? Algorithm::pooling_max
                          : what == OneDnnPool::kMean  ? Algorithm::pooling_avg_include_padding
                                                       : Algorithm::pooling_avg_exclude_padding;
    const Dims stride = spatial(w, w.stride), kernel = spatial(w, w.kernel), pad = spatial(w, w.padding);
    const Dims dense(static_cast<size_t>(w.axes), 0);
    const bool keeps = r.training() && what == OneDnnPool::kLargest;
    const dnnl::pooling_forward::primitive_desc forward(
        e, r.training() ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, how, x, y,
        stride, kernel, dense, pad, pad, onednn_attributes({}));
    const OneDnnCall::Argument places{DNNL_ARG_WORKSPACE, forward.workspace_desc()};
    std::vector<OneDnnCall::Argument> arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}};
    if (keeps) {
      places_bytes_ = places.desc.get_size();
      arguments.push_back(places);
    }
    forward_.emplace(e, dnnl::pooling_forward(forward), arguments, forward.scratchpad_desc());
    if (!r.input_gradient_needed()) return;
    const dnnl::pooling_backward::primitive_desc backward(e, how, x, y, stride, kernel, dense, pad, pad,
                                                          forward, onednn_attributes({}));
    arguments = {{DNNL_ARG_DIFF_DST, y}, {DNNL_ARG_DIFF_SRC, x}};
    if (keeps) arguments.push_back(places);
    backward_.emplace(e, dnnl::pooling_backward(backward), arguments, backward.scratchpad_desc());
  }

  std::optional<OneDnnCall> forward_, backward_;
  size_t places_bytes_ = 0;
};

}  // namespace plait::sdk
