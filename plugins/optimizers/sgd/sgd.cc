// Stochastic gradient descent with momentum, Nesterov's look ahead and weight decay.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

constexpr size_t kGrain = 16384;  // elements in a piece of work

PLAIT_FAST void plain(float* w, const float* g, size_t count, float rate, float decay) {
  for (size_t i = 0; i < count; ++i) w[i] -= rate * (g[i] + decay * w[i]);
}

PLAIT_FAST void with_momentum(float* w, const float* g, float* v, size_t count, float rate, float decay,
                              float momentum) {
  for (size_t i = 0; i < count; ++i) {
    v[i] = momentum * v[i] + (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

PLAIT_FAST void with_dampening(float* w, const float* g, float* v, size_t count, float rate, float decay,
                               float momentum, float rest) {
  for (size_t i = 0; i < count; ++i) {
    v[i] = momentum * v[i] + rest * (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

PLAIT_FAST void with_nesterov(float* w, const float* g, float* v, size_t count, float rate, float decay,
                              float momentum) {
  for (size_t i = 0; i < count; ++i) {
    const float d = g[i] + decay * w[i];
    v[i] = momentum * v[i] + d;
    w[i] -= rate * (d + momentum * v[i]);
  }
}

struct Sgd {
  double rate = 0.01, momentum = 0, weight_decay = 0, dampening = 0;
  bool nesterov = false;
  static constexpr bool elementwise = true;

  static void describe(Describe<Sgd>& d) {
    d.doc("w -= rate * g, with momentum");
    d.details(
        "d = g + weight_decay w (no decay for biases and scales); v = momentum v + (1 - dampening) d, in the "
        "first step d;\n"
        "w = w - rate v, or with nesterov w = w - rate (d + momentum v).\n"
        "Source: Sutskever, Martens, Dahl, Hinton 2013, in the form that PyTorch's SGD has.");
    d.field("rate", &Sgd::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("momentum", &Sgd::momentum)
        .doc("share of the last step that goes on")
        .at_least(0)
        .below(1)
        .runtime();
    d.field("weight_decay", &Sgd::weight_decay).doc("pull of the weights towards 0").range(0, 1e6).runtime();
    d.field("nesterov", &Sgd::nesterov).doc("look ahead along the momentum");
    d.field("dampening", &Sgd::dampening)
        .doc("share of the gradient that does not go into the momentum")
        .range(0, 1);
  }
  void validate() const {
    if (nesterov && momentum <= 0) throw Error("nesterov needs a momentum above 0, got ", momentum);
    if (dampening > 0 && momentum <= 0) throw Error("dampening needs a momentum above 0, got ", momentum);
    if (dampening > 0 && nesterov) throw Error("nesterov goes without dampening, got ", dampening);
  }
  void open(Context&) { has_velocity_ = momentum > 0; }
  void slots(OptimizerSlots& s) const {
    if (momentum > 0) s.slot("velocity").reduce(Reduce::mean32);
  }

  void step(Context& c, const OptimizerCall& call) const {
    const auto lr = static_cast<float>(rate), m = static_cast<float>(momentum);
    const auto decay = static_cast<float>(call.decay() ? weight_decay : 0);
    const auto rest = static_cast<float>(call.updates == 0 ? 1 : 1 - dampening);
    float* w = call.weights.data();
    const float* g = call.gradients.data();
    float* v = has_velocity_ ? call.slot(0).data() : nullptr;
    c.parallel_for(call.count, kGrain, [&](uint64_t begin, uint64_t end) {
      const size_t n = end - begin;
      if (!v) return plain(w + begin, g + begin, n, lr, decay);
      if (rest != 1) return with_dampening(w + begin, g + begin, v + begin, n, lr, decay, m, rest);
      if (nesterov) return with_nesterov(w + begin, g + begin, v + begin, n, lr, decay, m);
      with_momentum(w + begin, g + begin, v + begin, n, lr, decay, m);
    });
  }

 private:
  bool has_velocity_ = false;  // by the momentum in the file, not by what a schedule makes of it
};

}  // namespace

PLAIT_PLUGIN("plait.sgd", "1.0.0", "Apache-2.0", optimizer<Sgd>("plait.sgd"));
