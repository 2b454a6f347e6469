// transpose by oneDNN's reorder: x in its own order, y in another.
//
// Fails with: kUnsupported for what oneDNN does not compute. Threads: as plait/onednn.hpp
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>
#include <span>

namespace layers {

using namespace plait::sdk;

class TransposeOneDnn {
 public:
  // order: for each axis of y that of x, which is not empty.
  TransposeOneDnn(std::span<const size_t> order, const LayerRequest& r, LayerNeeds& n) {
    const auto shape = r.input().shape();
    dnnl::memory::dims extents(shape.begin(), shape.end()), of_x(extents.size()), of_y(extents.size());
    int64_t before_x = 1, before_y = 1;
    for (size_t a = extents.size(); a-- > 0; before_x *= extents[a]) of_x[a] = before_x;
    for (size_t a = extents.size(); a-- > 0; before_y *= extents[order[a]]) of_y[order[a]] = before_y;
    const dnnl::memory::desc x(extents, dnnl::memory::data_type::f32, of_x);
    const dnnl::memory::desc y(extents, dnnl::memory::data_type::f32, of_y);
    try {
      make(forward_, x, y);
      if (r.input_gradient_needed()) make(backward_, y, x);
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot put these axes in order: ", error.what());
    }
    size_t scratch = forward_->scratchpad_bytes();
    if (backward_) scratch = std::max(scratch, backward_->scratchpad_bytes());
    n.workspace(scratch);
  }

  void forward(const LayerCall& call) const {
    forward_->run({call.input().f32().data(), call.output().f32().data()}, call.workspace());
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
  static void make(std::optional<OneDnnCall>& call, const dnnl::memory::desc& from,
                   const dnnl::memory::desc& to) {
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    const dnnl::reorder::primitive_desc pd(e, from, e, to, onednn_attributes({}));
    call.emplace(e, dnnl::reorder(pd),
                 std::vector<OneDnnCall::Argument>{{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}},
                 pd.scratchpad_desc());
  }

  std::optional<OneDnnCall> forward_, backward_;
};

}  // namespace layers
