// Layers that apply an Activation (simd.hpp) to each element: all that is left to write is what it is and of
// which fields it is made. Optional; sdk.hpp does not include it. It holds the
// namespaces of simd.hpp: a source that includes it does not include <plait/simd/base.hpp> too.
//
//   struct Leaky : ActivationLayer<Leaky> {
//     float slope = 0.01f;
//     static void describe(Describe<Leaky>& d) {
//       d.doc("x, or slope x below zero");
//       d.field("slope", &Leaky::slope).doc("slope below zero").range(0, 1);
//     }
//     Activation activation() const { return {Activation::Kind::kRelu, slope, 0}; }
//   };
//   PLAIT_PLUGIN("acme.leaky", "1.0.0", "Apache-2.0", takes_bf16(layer<Leaky>("acme.leaky")));
//
// Shapes: x and y alike, f32 or bf16 (see bf16.hpp), of any extents. Works in place, takes its gradient from
// the output, and says that it is the epilogue of the activation's name, so that a layer before it that can
// absorbs it. Fails with: kInvalid for an input of another element type. Threads: [any]
#pragma once
#include <plait/bf16.hpp>
#include <plait/sdk.hpp>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include <plait/simd/activation.inc.hpp>
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include <plait/simd/activation.inc.hpp>
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include <plait/simd/activation.inc.hpp>
#include <plait/simd/end.hpp>
// clang-format on

namespace plait::sdk {

// y = f(x), on the context's lanes; y may be x. T: float, or the 16 bits of bf16.
template <class T>
void activate(Context& c, const Activation& f, const T* x, T* y, size_t count) {
  c.parallel_for(count, [&](size_t begin, size_t end) {
    PLAIT_SIMD_CALL(activate_all, f, x + begin, y + begin, end - begin);
  });
}
// dx = f'(x) dy of y = f(x), likewise; dx may be dy.
template <class T>
void undo_activation(Context& c, const Activation& f, const T* y, const T* dy, T* dx, size_t count) {
  c.parallel_for(count, [&](size_t begin, size_t end) {
    PLAIT_SIMD_CALL(slope_all, f, y + begin, dy + begin, dx + begin, end - begin);
  });
}

// The loops, and what is said of them. Self has `Activation activation() const`, of any kind but the
// identity.
template <class Self>
struct ActivationLoops {
  static constexpr bool kFromOutput = true;  // run_back's `at` is y
  static constexpr bool kTakesBf16 = true;

  void declare(LayerShapes& s) const {
    const Activation f = self().activation();
    s.output_like(0);
    s.in_place();
    s.is_epilogue(f.name(), f.alpha, f.beta);
  }
  // Spans of float, or of the 16 bits of bf16.
  template <class X, class Y>
  void run(Context& c, X x, Y y) const {
    activate(c, self().activation(), x.data(), y.data(), x.size());
  }
  template <class Y, class DX>
  void run_back(Context& c, Y y, Y dy, DX dx) const {
    undo_activation(c, self().activation(), y.data(), dy.data(), dx.data(), y.size());
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

template <class Self>
struct ActivationLayer : ActivationLoops<Self> {
  static constexpr bool two_axes = true;

  void infer(LayerShapes& s) const {
    if (!is_f32_or_bf16(s.input().dtype())) s.fail("input is ", s.input(), ", wanted f32");
    this->declare(s);
  }
  void needs(const LayerRequest&, LayerNeeds& n) const {
    n.backward_reads(Reads::outputs);
    n.repeats();
  }
  void forward(Context& c, const LayerCall& call) const {
    call.input().dtype() == DType::bf16 ? forward_of<uint16_t>(c, call) : forward_of<float>(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    call.input_gradient().dtype() == DType::bf16 ? backward_of<uint16_t>(c, call)
                                                 : backward_of<float>(c, call);
  }

 private:
  template <class T>
  void forward_of(Context& c, const LayerCall& call) const {
    this->run(c, call.input().data<const T>(), call.output().data<T>());
  }
  template <class T>
  void backward_of(Context& c, const LayerCall& call) const {
    this->run_back(c, call.output().data<const T>(), call.output_gradient().data<const T>(),
                   call.input_gradient().data<T>());
  }
};

}  // namespace plait::sdk
