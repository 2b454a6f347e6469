// Elementwise layers by own loops and by oneDNN: the own ones are those of <plait/activation.hpp> or
// <plait/element_function.hpp>, and oneDNN's follow from an algorithm and two numbers. For layers that are
// made with ONEDNN.
//
//   struct Elu : OneDnnElementwise<Elu, ElementLoops<Elu>> {
//     double alpha = 1;
//     Implementation implementation = Implementation::kAuto;
//     static void describe(Describe<Elu>& d) { ...; describe_implementation(d, &Elu::implementation); }
//     OneDnnFunction onednn() const { return {dnnl::algorithm::eltwise_elu, alpha}; }
//     void apply(...) const; void undo(...) const;  // as the own loops want them
//   };
//
// `auto` takes the own loops: a layer before this one can absorb them. Of `onednn` nothing is absorbed; it is
// a layer of its own that runs a primitive. Shapes: x and y alike, f32, of any extents; bf16 too by own loops
// that take it. Bits follow from the element, the fields and oneDNN. Fails with: kInvalid for an input of
// another element type; kUnsupported for what oneDNN does not compute. Threads: as onednn.hpp
#pragma once
#include <plait/element_function.hpp>
#include <plait/implementation.hpp>
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <optional>

namespace plait::sdk {

// What oneDNN calls the function.
struct OneDnnFunction {
  dnnl::algorithm forward;
  double alpha = 0, beta = 0;
  std::optional<dnnl::algorithm> from_output = {};  // the same function, whose slope is taken from y
};

class OneDnnElements {
 public:
  OneDnnElements(const OneDnnFunction& f, const LayerRequest& r, LayerNeeds& n)
      : from_output_(f.from_output.has_value()) {
    n.backward_reads(from_output_ ? Reads::outputs : Reads::inputs);
    if (r.input().size() == 0) return;
    try {
      make(f,
           {{static_cast<int64_t>(r.input().size())},
            dnnl::memory::data_type::f32,
            dnnl::memory::format_tag::a},
           r.input_gradient_needed());
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this function: ", error.what());
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
    const float* at = from_output_ ? call.output().f32().data() : call.input().f32().data();
    backward_->run({at, call.output_gradient().f32().data(), call.input_gradient().f32().data()},
                   call.workspace());
  }

  void note(const KernelNotes& notes) const {
    note_forward(notes, forward_);
    note_backward(notes, backward_);
  }

 private:
  void make(const OneDnnFunction& f, const dnnl::memory::desc& all, bool gradient) {
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    const auto alpha = static_cast<float>(f.alpha), beta = static_cast<float>(f.beta);
    const dnnl::algorithm how = f.from_output.value_or(f.forward);
    const dnnl::eltwise_forward::primitive_desc forward(e, dnnl::prop_kind::forward_training, how, all, all,
                                                        alpha, beta, onednn_attributes({}));
    forward_.emplace(e, dnnl::eltwise_forward(forward),
                     std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC, all}, {DNNL_ARG_DST, all}},
                     forward.scratchpad_desc());
    if (!gradient) return;
    const dnnl::eltwise_backward::primitive_desc backward(e, how, all, all, all, alpha, beta, forward,
                                                          onednn_attributes({}));
    backward_.emplace(e, dnnl::eltwise_backward(backward),
                      std::vector<OneDnnCall::Argument>{{from_output_ ? DNNL_ARG_DST : DNNL_ARG_SRC, all},
                                                        {DNNL_ARG_DIFF_DST, all},
                                                        {DNNL_ARG_DIFF_SRC, all}},
                      backward.scratchpad_desc());
  }

  bool from_output_;
  std::optional<OneDnnCall> forward_, backward_;
};

// Self has the field `implementation`, `OneDnnFunction onednn() const`, and what Loops wants.
template <class Self, class Loops>
struct OneDnnElementwise : Loops {
  static constexpr bool two_axes = true;
  static constexpr bool kTakesBf16 = requires { Loops::kTakesBf16; };  // the own loops

  void infer(LayerShapes& s) const {
    const auto& self = static_cast<const Self&>(*this);
    const bool takes_bf16 = kTakesBf16 && self.implementation != Implementation::kOneDnn;
    const bool is_known = s.input().dtype() == DType::f32 || (takes_bf16 && s.input().dtype() == DType::bf16);
    if (!is_known) s.fail("input is ", s.input(), ", wanted f32");
    if (self.implementation != Implementation::kOneDnn) return this->declare(s);
    s.output_like(0);
    s.activation();
    if (self.onednn().from_output) s.in_place();
  }

  struct Kernel {
    const Loops& own;
    std::optional<OneDnnElements> onednn;

    Kernel(const Self& config, Context& c, const LayerRequest& r, LayerNeeds& n) : own(config) {
      const KernelNotes notes(c);
      n.repeats();
      if (config.implementation == Implementation::kAuto) notes.chose("implementation", "own");
      if (config.implementation == Implementation::kOneDnn) {
        onednn.emplace(config.onednn(), r, n);
        onednn->note(notes);
        return;
      }
      n.backward_reads(Loops::kFromOutput ? Reads::outputs : Reads::inputs);
    }

    void forward(Context& c, const LayerCall& call) const {
      if (onednn) return onednn->forward(call);
      if constexpr (kTakesBf16) {
        if (call.input().dtype() == DType::bf16) return forward_of<uint16_t>(c, call);
      }
      forward_of<float>(c, call);
    }
    void backward(Context& c, const LayerCall& call) const {
      if (onednn) return onednn->backward(call);
      if (!call.input_gradient()) return;
      if constexpr (kTakesBf16) {
        if (call.input_gradient().dtype() == DType::bf16) return backward_of<uint16_t>(c, call);
      }
      backward_of<float>(c, call);
    }

   private:
    template <class T>
    void forward_of(Context& c, const LayerCall& call) const {
      own.run(c, call.input().data<const T>(), call.output().data<T>());
    }
    template <class T>
    void backward_of(Context& c, const LayerCall& call) const {
      const auto at = Loops::kFromOutput ? call.output().data<const T>() : call.input().data<const T>();
      own.run_back(c, at, call.output_gradient().data<const T>(), call.input_gradient().data<T>());
    }
  };
};

}  // namespace plait::sdk
