// Plain loops of some types on the test device. Each has the fields of its type that it needs; shapes are
// checked by the type itself.
#pragma once
#include <algorithm>
#include <cmath>

#include "device.h"

namespace plait::test_device {

// An absorbed function y = f(x), and its slope by y.
struct Function {
  enum Kind { kNone, kRelu, kTanh, kSigmoid, kLinear } kind = kNone;
  float alpha = 0, beta = 0;

  static Function of(const sdk::LayerRequest& r) {
    if (r.epilogues() == 0) return {};
    const sdk::Epilogue e = r.epilogue();
    const Kind kind = e.name == "relu"      ? kRelu
                      : e.name == "tanh"    ? kTanh
                      : e.name == "sigmoid" ? kSigmoid
                      : e.name == "linear"  ? kLinear
                                            : kNone;
    if (kind == kNone) throw sdk::Unsupported("the test device cannot absorb ", e.name);
    return {kind, static_cast<float>(e.alpha), static_cast<float>(e.beta)};
  }
  float apply(float x) const {
    switch (kind) {
      case kRelu:
        return x > 0 ? x : alpha * x;
      case kTanh:
        return std::tanh(x);
      case kSigmoid:
        return 1 / (1 + std::exp(-x));
      case kLinear:
        return alpha * x + beta;
      default:
        return x;
    }
  }
  float slope(float y) const {
    switch (kind) {
      case kRelu:
        return y > 0 ? 1 : alpha;
      case kTanh:
        return 1 - y * y;
      case kSigmoid:
        return y * (1 - y);
      case kLinear:
        return alpha;
      default:
        return 1;
    }
  }
};

struct DenseForward {
  const float *x, *w, *b;
  float* y;
  size_t batch, inputs, units;
  Function function;

  const char* run(const Access& real) const {
    const float *in = real(x), *weight = real(w), *bias = b ? real(b) : nullptr;
    float* out = real(y);
    for (size_t n = 0; n < batch; ++n) {
      for (size_t u = 0; u < units; ++u) {
        float sum = bias ? bias[u] : 0;
        for (size_t i = 0; i < inputs; ++i) sum += in[n * inputs + i] * weight[u * inputs + i];
        out[n * units + u] = function.apply(sum);
      }
    }
    return nullptr;
  }
};

struct DenseBackward {
  const float *x, *w, *y, *dy;
  float *dx, *dw, *db;
  size_t batch, inputs, units;
  Function function;

  const char* run(const Access& real) const {
    const float *in = real(x), *weight = real(w), *out = real(y), *above = real(dy);
    float *below = dx ? real(dx) : nullptr, *dweight = dw ? real(dw) : nullptr,
          *dbias = db ? real(db) : nullptr;
    if (below) std::fill_n(below, batch * inputs, 0.0f);
    if (dweight) std::fill_n(dweight, units * inputs, 0.0f);
    if (dbias) std::fill_n(dbias, units, 0.0f);
    for (size_t n = 0; n < batch; ++n) {
      for (size_t u = 0; u < units; ++u) {
        const float d = above[n * units + u] * function.slope(out[n * units + u]);
        if (dbias) dbias[u] += d;
        for (size_t i = 0; i < inputs; ++i) {
          if (dweight) dweight[u * inputs + i] += d * in[n * inputs + i];
          if (below) below[n * inputs + i] += d * weight[u * inputs + i];
        }
      }
    }
    return nullptr;
  }
};

struct Dense {
  int64_t units = 1;
  bool bias = true;
  static void describe(sdk::Describe<Dense>& d) {
    d.doc("dense on the test device");
    d.field("units", &Dense::units).doc("number of outputs");
    d.field("bias", &Dense::bias).doc("whether to add a bias");
  }
  void infer(sdk::LayerShapes&) const {}

  struct Kernel {
    size_t batch, inputs, units;
    bool bias;
    Function function;
    Kernel(const Dense& config, sdk::Context&, const sdk::LayerRequest& r, sdk::LayerNeeds&)
        : batch(static_cast<size_t>(r.input().shape(0))),
          inputs(r.input().size() / batch),
          units(static_cast<size_t>(config.units)),
          bias(config.bias),
          function(Function::of(r)) {}
    void forward(sdk::Context& c, const sdk::LayerCall& call) const {
      enqueue(c,
              DenseForward{call.input().f32().data(), call.parameter(0), bias ? call.parameter(1) : nullptr,
                           call.output().f32().data(), batch, inputs, units, function});
    }
    void backward(sdk::Context& c, const sdk::LayerCall& call) const {
      float* dx = call.input_gradient() ? call.input_gradient().f32().data() : nullptr;
      enqueue(c, DenseBackward{call.input().f32().data(), call.parameter(0), call.output().f32().data(),
                               call.output_gradient().f32().data(), dx, call.parameter_gradient(0),
                               bias ? call.parameter_gradient(1) : nullptr, batch, inputs, units, function});
    }
  };
};

struct ReluWork {
  const float *x, *dy;  // dy null: forward
  float* to;
  size_t count;
  Function function;
  const char* run(const Access& real) const {
    const float *from = real(x), *above = dy ? real(dy) : nullptr;
    float* out = real(to);
    for (size_t i = 0; i < count; ++i)
      out[i] = above ? above[i] * function.slope(from[i]) : function.apply(from[i]);
    return nullptr;
  }
};

// Backward reads the output: it may share memory with the input.
struct Relu {
  double slope = 0;
  static void describe(sdk::Describe<Relu>& d) {
    d.doc("relu on the test device");
    d.field("slope", &Relu::slope).doc("slope below zero");
  }
  void infer(sdk::LayerShapes&) const {}
  void needs(const sdk::LayerRequest&, sdk::LayerNeeds& n) const { n.backward_reads(sdk::Reads::outputs); }
  void forward(sdk::Context& c, const sdk::LayerCall& call) const {
    enqueue(c, ReluWork{call.input().f32().data(), nullptr, call.output().f32().data(), call.input().size(),
                        function()});
  }
  void backward(sdk::Context& c, const sdk::LayerCall& call) const {
    if (!call.input_gradient()) return;
    enqueue(c, ReluWork{call.output().f32().data(), call.output_gradient().f32().data(),
                        call.input_gradient().f32().data(), call.output().size(), function()});
  }
  Function function() const { return {Function::kRelu, static_cast<float>(slope), 0}; }
};

struct Flatten {
  static void describe(sdk::Describe<Flatten>& d) { d.doc("flatten on the test device"); }
  void infer(sdk::LayerShapes&) const {}
  void needs(const sdk::LayerRequest&, sdk::LayerNeeds& n) const { n.backward_reads(sdk::Reads::nothing); }
  void forward(sdk::Context& c, const sdk::LayerCall& call) const { copy(c, call.input(), call.output()); }
  void backward(sdk::Context& c, const sdk::LayerCall& call) const {
    if (call.input_gradient()) copy(c, call.output_gradient(), call.input_gradient());
  }
  static void copy(sdk::Context& c, sdk::Tensor from, sdk::Tensor to) {
    if (from.raw() != to.raw())
      static_cast<TestDevice*>(c.device())->copy(c, to.raw(), from.raw(), from.bytes());
  }
};

}  // namespace plait::test_device
