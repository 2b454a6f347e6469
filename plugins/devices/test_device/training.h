// Plain loops of softmax cross entropy and sgd on the test device.
#pragma once
#include <cmath>

#include "device.h"

namespace plait::test_device {

struct CrossEntropyWork {
  const float* x;
  const void* target;
  float* dx;
  double* result;
  int32_t* bad_target;
  size_t batch, classes;
  sdk::DType labels;
  double scale;

  static int64_t label_at(const void* labels, sdk::DType type, size_t n) {
    switch (type) {
      case sdk::DType::i32:
        return static_cast<const int32_t*>(labels)[n];
      case sdk::DType::i64:
        return static_cast<const int64_t*>(labels)[n];
      case sdk::DType::u8:
        return static_cast<const uint8_t*>(labels)[n];
      default:
        return static_cast<int64_t>(static_cast<const float*>(labels)[n]);
    }
  }
  const char* run(const Access& real) const {
    const float* scores = real(x);
    const void* wanted = real(static_cast<const char*>(target));
    float* gradient = dx ? real(dx) : nullptr;
    double sum_of_losses = 0;
    int32_t bad = -1;
    for (size_t n = 0; n < batch; ++n, scores += classes) {
      const int64_t label = label_at(wanted, labels, n);
      const bool good = label >= 0 && label < static_cast<int64_t>(classes);
      if (!good && bad < 0) bad = static_cast<int32_t>(n);
      double largest = scores[0], sum = 0;
      for (size_t i = 1; i < classes; ++i) largest = std::fmax(largest, scores[i]);
      for (size_t i = 0; i < classes; ++i) sum += std::exp(scores[i] - largest);
      if (good) sum_of_losses += std::log(sum) + largest - scores[label];
      for (size_t i = 0; gradient && i < classes; ++i) {
        const double p = std::exp(scores[i] - largest) / sum - (static_cast<int64_t>(i) == label);
        gradient[n * classes + i] = good ? static_cast<float>(p * scale / static_cast<double>(batch)) : 0;
      }
    }
    double* const answer = real(result);
    answer[0] = sum_of_losses, answer[1] = static_cast<double>(batch);
    if (bad_target) *real(bad_target) = bad;
    return nullptr;
  }
};

struct CrossEntropy {
  static void describe(sdk::Describe<CrossEntropy>& d) { d.doc("softmax cross entropy on the test device"); }

  struct Kernel {
    Kernel(const CrossEntropy&, sdk::Context&, const sdk::LossRequest& r) {
      if (r.has_weights()) throw sdk::Unsupported("the test device has no weights of samples");
      if (r.prediction().rank() != 2)
        throw sdk::Unsupported("the test device wants a prediction [N, C], got ", r.prediction());
    }
    void compute(sdk::Context& c, const sdk::LossCall& call) const {
      const sdk::Tensor x = call.prediction();
      enqueue(
          c, CrossEntropyWork{x.f32().data(), call.target().raw(),
                              call.gradient() ? call.gradient().f32().data() : nullptr, call.c()->result,
                              call.c()->bad_target, static_cast<size_t>(x.shape(0)),
                              static_cast<size_t>(x.shape(1)), call.target().dtype(), call.gradient_scale()});
    }
  };
};

struct SgdWork {
  float* w;
  const float* g;
  float* v;  // null without momentum
  size_t count;
  float rate, momentum, decay;
  bool nesterov;
  const char* run(const Access& real) const {
    float *weights = real(w), *velocity = v ? real(v) : nullptr;
    const float* gradients = real(g);
    for (size_t i = 0; i < count; ++i) {
      float d = gradients[i] + decay * weights[i];
      if (velocity) {
        velocity[i] = momentum * velocity[i] + d;
        d = nesterov ? d + momentum * velocity[i] : velocity[i];
      }
      weights[i] -= rate * d;
    }
    return nullptr;
  }
};

// Fields, slots and their order are those of the type.
struct Sgd {
  double rate = 0.01, momentum = 0, weight_decay = 0;
  bool nesterov = false;
  static constexpr bool elementwise = true;
  static void describe(sdk::Describe<Sgd>& d) {
    d.doc("sgd on the test device");
    d.field("rate", &Sgd::rate).doc("size of a step").runtime();
    d.field("momentum", &Sgd::momentum).doc("share of the last step that goes on").runtime();
    d.field("weight_decay", &Sgd::weight_decay).doc("pull of the weights towards 0").runtime();
    d.field("nesterov", &Sgd::nesterov).doc("look ahead along the momentum");
  }
  void open(sdk::Context&) { has_velocity_ = momentum > 0; }
  void step(sdk::Context& c, const sdk::OptimizerCall& call) const {
    enqueue(c,
            SgdWork{call.weights.data(), call.gradients.data(), has_velocity_ ? call.slot(0).data() : nullptr,
                    call.count, static_cast<float>(rate), static_cast<float>(momentum),
                    static_cast<float>(call.decay() ? weight_decay : 0), nesterov});
  }

 private:
  bool has_velocity_ = false;
};

}  // namespace plait::test_device
