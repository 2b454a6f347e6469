// The forward pass of reduce by oneDNN's reduction, which has no backward one. Sums are f32.
//
// Fails with: kUnsupported where the axes are not the last ones, which it would sum by reference code, and
// for what it does not compute. Threads: as plait/onednn.hpp
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <optional>

#include "reduce.h"

namespace layers {

class ReduceOneDnn {
 public:
  // is_mean: else the sum. The input is not empty, and its extents do not vary.
  ReduceOneDnn(bool is_mean, const ReducedAxes& axes, const LayerRequest& r, LayerNeeds& n) {
    const Spec x = r.input();
    const auto shape = x.shape();
    const dnnl::memory::dims from(shape.begin(), shape.end());
    dnnl::memory::dims to = from;
    for (size_t a = 0; a < to.size(); ++a)
      if (axes.is_reduced(a)) to[a] = 1;
    try {
      make(is_mean ? dnnl::algorithm::reduction_mean : dnnl::algorithm::reduction_sum, in_order(from),
           in_order(to));
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this reduction: ", error.what());
    }
    if (onednn_text(*forward_).starts_with("onednn:ref"))
      throw Error(
          ErrorCode::kUnsupported,
          "oneDNN sums by loops of its own only along the last axes, wanted those or implementation own");
    n.workspace(forward_->scratchpad_bytes());
  }

  void forward(const LayerCall& call) const {
    forward_->run({call.input().f32().data(), call.output().f32().data()}, call.workspace());
  }
  void note(const KernelNotes& notes) const { note_forward(notes, forward_); }

 private:
  static dnnl::memory::desc in_order(const dnnl::memory::dims& extents) {
    dnnl::memory::dims strides(extents.size());
    int64_t before = 1;
    for (size_t a = extents.size(); a-- > 0; before *= extents[a]) strides[a] = before;
    return {extents, dnnl::memory::data_type::f32, strides};
  }
  void make(dnnl::algorithm how, const dnnl::memory::desc& x, const dnnl::memory::desc& y) {
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    const dnnl::reduction::primitive_desc pd(e, how, x, y, 0, 0, onednn_attributes({}));
    forward_.emplace(e, dnnl::reduction(pd),
                     std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}},
                     pd.scratchpad_desc());
  }

  std::optional<OneDnnCall> forward_;
};

}  // namespace layers
