// Plugins of variable extent for the tests of train/. Every number is made of the same others in the same
// order whatever the extent at which a batch is computed, so results at the bound and in buckets are equal to
// the bit.
#pragma once
#include <plait/sdk.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace plait::inline train::test_sequences {

// x [<=40, 2], label [1]: a sum over x that fades. One record in eight is long.
struct Words {
  int64_t count = 96, phase = 0;
  static void describe(sdk::Describe<Words>& d) {
    d.doc("sequences and what a function gives for them");
    d.field("count", &Words::count).doc("records");
    d.field("phase", &Words::phase).doc("other sequences");
  }
  void open(sdk::Context&) {}
  static int64_t length(int64_t index) { return index % 8 == 0 ? 1 + index % 40 : 1 + index % 6; }
  sdk::SourceInfo info() const {
    sdk::SourceInfo info;
    info.count = count;
    info.parts.add("x", sdk::DType::f32, {40, 2}, 0);
    info.parts.add("label", sdk::DType::f32, {1});
    info.random_access = true;
    return info;
  }
  void read(sdk::Context&, int64_t index, sdk::SampleCall& call) const {
    const auto x = call.output("x").f32();
    float sum = 0;
    for (size_t i = 0; i < 2 * static_cast<size_t>(length(index)); ++i) {
      x[i] = static_cast<float>(
          std::sin(static_cast<double>(index + 1000 * phase) + 0.7 * static_cast<double>(i)));
      sum = 0.75f * sum + x[i];
    }
    call.output("label").f32()[0] = 0.25f * sum;
    call.set_length("x", length(index));
  }
};

// x [N, W, C] -> y [N, W, 1]: y_t = tanh(w x_t + u y_(t-1)), weight (w, u), of which prepare makes a copy.
struct Carry {
  static void describe(sdk::Describe<Carry>& d) { d.doc("carries a number along a sequence"); }
  void infer(sdk::LayerShapes& s) const {
    s.output({s.input().shape(0), s.input().shape(1), 1}).variable_axis = 1;
    s.weight("weight", {s.input().shape(2) + 1}).init("uniform", -0.5, 0.5);
  }
  void needs(const sdk::LayerRequest& r, sdk::LayerNeeds& n) const {
    n.prepared(static_cast<uint64_t>(r.input().shape(2) + 1) * sizeof(float));
  }
  void prepare(sdk::Context&, const sdk::LayerCall& call) const {
    for (size_t c = 0; c < 3; ++c) call.prepared<float>()[c] = call.parameter(0)[c];
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    const float* w = call.prepared<float>();
    const auto wide = static_cast<size_t>(call.input().shape(1));
    for (size_t at = 0; at < y.size(); ++at) {
      const bool inside = at % wide < static_cast<size_t>(call.input().length(at / wide));
      const float before = at % wide == 0 ? 0 : y[at - 1];
      y[at] = inside ? std::tanh(w[0] * x[2 * at] + w[1] * x[2 * at + 1] + w[2] * before) : 0;
    }
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32(), dy = call.output_gradient().f32();
    float* dw = call.parameter_gradient(0);
    const auto wide = static_cast<size_t>(call.input().shape(1));
    for (size_t c = 0; c < 3; ++c) dw[c] = 0;
    for (size_t n = 0; n < y.size() / wide; ++n) {
      float carried = 0;
      for (auto t = static_cast<size_t>(call.input().length(n)); t-- > 0;) {
        const size_t at = n * wide + t;
        const float d = (dy[at] + carried) * (1 - y[at] * y[at]);
        dw[0] += d * x[2 * at];
        dw[1] += d * x[2 * at + 1];
        dw[2] += t == 0 ? 0 : d * y[at - 1];
        carried = d * call.prepared<float>()[2];
      }
    }
  }
};

// x [N, W, 1] -> y [N, 1]: the last of each sequence.
struct Last {
  static void describe(sdk::Describe<Last>& d) { d.doc("the end of a sequence"); }
  void infer(sdk::LayerShapes& s) const { s.output({s.input().shape(0), 1}); }
  static size_t place(const sdk::LayerCall& call, size_t n) {
    return n * static_cast<size_t>(call.input().shape(1)) + static_cast<size_t>(call.input().length(n)) - 1;
  }
  void forward(sdk::Context&, const sdk::LayerCall& call) const {
    const auto x = call.input().f32(), y = call.output().f32();
    for (size_t n = 0; n < y.size(); ++n) y[n] = x[place(call, n)];
  }
  void backward(sdk::Context&, const sdk::LayerCall& call) const {
    if (!call.input_gradient()) return;
    const auto dx = call.input_gradient().f32(), dy = call.output_gradient().f32();
    for (float& value : dx) value = 0;
    for (size_t n = 0; n < dy.size(); ++n) dx[place(call, n)] = dy[n];
  }
};

}  // namespace plait::inline train::test_sequences
