// oneDNN's primitives of several inputs and one output, for layers that are made with ONEDNN: sum, binary and
// concat, in the forward pass. None has a backward one.
//
// Shapes: f32 in plain order. Threads: as onednn.hpp. Fails with: kUnsupported for more than kMost inputs,
// for what oneDNN would compute by reference code, and for what it does not compute.
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <array>
#include <memory>

namespace plait::sdk {

class OneDnnJoining {
 public:
  static constexpr size_t kMost = OneDnnCall::kMostArguments - 1;  // inputs of a call, beside the output

  // y = a + b + ..., all alike.
  static OneDnnJoining sum(const LayerRequest& r) {
    return OneDnnJoining([&](OneDnnJoining& made) {
      const dnnl::memory::desc x = flat(r.input());
      const std::vector<dnnl::memory::desc> all(checked(r.inputs()), x);
      const dnnl::sum::primitive_desc pd(made.engine_, x, std::vector<float>(all.size(), 1.0f), all,
                                         onednn_attributes({}));
      made.many(dnnl::sum(pd), all, x, pd.scratchpad_desc());
    });
  }
  // y = a b, the first two inputs; b as a, or with extents of 1 along which it is repeated.
  static OneDnnJoining product(const dnnl::memory::dims& a, const dnnl::memory::dims& b) {
    return OneDnnJoining([&](OneDnnJoining& made) {
      const dnnl::memory::desc x = plain(a), f = plain(b);
      const dnnl::binary::primitive_desc pd(made.engine_, dnnl::algorithm::binary_mul, x, f, x,
                                            onednn_attributes({}));
      made.call_ = std::make_unique<OneDnnCall>(
          made.engine_, dnnl::binary(pd),
          std::vector<OneDnnCall::Argument>{{DNNL_ARG_SRC_0, x}, {DNNL_ARG_SRC_1, f}, {DNNL_ARG_DST, x}},
          pd.scratchpad_desc());
    });
  }
  // The inputs side by side along an axis.
  static OneDnnJoining concat(const LayerRequest& r, size_t axis) {
    return OneDnnJoining([&](OneDnnJoining& made) {
      std::vector<dnnl::memory::desc> all;
      for (size_t i = 0; i < checked(r.inputs()); ++i) all.push_back(plain(extents(r.input(i))));
      const dnnl::memory::desc y = plain(extents(r.output()));
      const dnnl::concat::primitive_desc pd(made.engine_, y, static_cast<int>(axis), all,
                                            onednn_attributes({}));
      made.many(dnnl::concat(pd), all, y, pd.scratchpad_desc());
    });
  }

  // Of all inputs.
  void forward(const LayerCall& call) const {
    std::array<const void*, kMost + 1> memory{};
    for (size_t i = 0; i < call.inputs(); ++i) memory[i] = call.input(i).f32().data();
    memory[call.inputs()] = call.output().f32().data();
    call_->run(std::span(memory.data(), call.inputs() + 1), call.workspace());
  }
  // Of two; y may be a.
  void forward(const LayerCall& call, const float* a, const float* b, float* y) const {
    call_->run({a, b, y}, call.workspace());
  }
  size_t scratchpad_bytes() const { return call_->scratchpad_bytes(); }  // of the workspace
  void note(const KernelNotes& notes) const { notes.forward(onednn_text(*call_)); }

  static dnnl::memory::dims extents(Spec x) {
    const auto shape = x.shape();
    return {shape.begin(), shape.end()};
  }

 private:
  template <class Make>
  explicit OneDnnJoining(const Make& make) {
    try {
      make(*this);
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot join these inputs: ", error.what());
    }
    if (onednn_text(*call_).starts_with("onednn:ref"))
      throw Error(ErrorCode::kUnsupported, "oneDNN would join these inputs by reference code: wanted own");
  }
  static size_t checked(size_t inputs) {
    if (inputs > kMost)
      throw Error(ErrorCode::kUnsupported, "oneDNN joins ", kMost, " inputs at most here, got ", inputs);
    return inputs;
  }
  static dnnl::memory::desc flat(Spec x) { return plain({static_cast<int64_t>(x.size())}); }
  static dnnl::memory::desc plain(const dnnl::memory::dims& of) {
    dnnl::memory::dims strides(of.size());
    int64_t before = 1;
    for (size_t a = of.size(); a-- > 0; before *= of[a]) strides[a] = before;
    return {of, dnnl::memory::data_type::f32, strides};
  }
  void many(const dnnl::primitive& primitive, const std::vector<dnnl::memory::desc>& inputs,
            const dnnl::memory::desc& y, const dnnl::memory::desc& scratchpad) {
    std::vector<OneDnnCall::Argument> arguments;
    for (size_t i = 0; i < inputs.size(); ++i)
      arguments.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), inputs[i]});
    arguments.push_back({DNNL_ARG_DST, y});
    call_ = std::make_unique<OneDnnCall>(engine_, primitive, std::move(arguments), scratchpad);
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};  // outlives the descriptions of primitives
  std::unique_ptr<OneDnnCall> call_;
};

}  // namespace plait::sdk
