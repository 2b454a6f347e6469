// Steps of the size that earlier steps had, per size of gradient: no rate needs to be found.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Factors {
  float rho, rest, epsilon, rate, decay;
};

// The built-in root: std::sqrt, compiled with other options than this function, would stay a call.
PLAIT_FAST void update(float* __restrict w, const float* __restrict g, float* __restrict squares,
                       float* __restrict steps, size_t count, Factors f) {
  for (size_t i = 0; i < count; ++i) {
    const float d = g[i] + f.decay * w[i];
    squares[i] = f.rho * squares[i] + f.rest * (d * d);
    const float of_gradients = squares[i] > 0 ? squares[i] : 0, of_steps = steps[i] > 0 ? steps[i] : 0;
    const float step = __builtin_sqrtf(of_steps + f.epsilon) / __builtin_sqrtf(of_gradients + f.epsilon) * d;
    steps[i] = f.rho * steps[i] + f.rest * (step * step);
    w[i] -= f.rate * step;
  }
}

struct Adadelta {
  double rate = 1, weight_decay = 0, rho = 0.9, epsilon = 1e-6;
  static constexpr bool elementwise = true;

  static void describe(Describe<Adadelta>& d) {
    d.doc("steps by the root mean square of earlier steps over that of gradients");
    d.details(
        "g = g + weight_decay w (not of biases and scales); a = rho a + (1 - rho) g^2;\n"
        "s = sqrt(b + epsilon) / sqrt(a + epsilon) g; b = rho b + (1 - rho) s^2; w = w - rate s.\n"
        "Source: Zeiler 2012, ADADELTA, algorithm 1; rate and weight_decay as in PyTorch's Adadelta.");
    d.field("rate", &Adadelta::rate).doc("what a step is multiplied by").range(0, 1e6).runtime();
    d.field("weight_decay", &Adadelta::weight_decay)
        .doc("pull of the weights towards 0")
        .range(0, 1e6)
        .runtime();
    d.field("rho", &Adadelta::rho).doc("memory of both mean squares").at_least(0).below(1);
    d.field("epsilon", &Adadelta::epsilon)
        .doc("begins the first step, and keeps later ones going")
        .above(0)
        .at_most(1);
    d.slot("square").reduce(Reduce::mean64);
    d.slot("step_square").reduce(Reduce::mean64);
  }

  void step(Context& c, const OptimizerCall& call) const {
    const Factors f{.rho = static_cast<float>(rho),
                    .rest = static_cast<float>(1 - rho),
                    .epsilon = static_cast<float>(epsilon),
                    .rate = static_cast<float>(rate),
                    .decay = static_cast<float>(call.decay() ? weight_decay : 0)};
    const Out w = call.weights, squares = call.slot(0), steps = call.slot(1);
    c.parallel_for(call.count, [&](uint64_t begin, uint64_t end) {
      update(w.data() + begin, call.gradients.data() + begin, squares.data() + begin, steps.data() + begin,
             end - begin, f);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.adadelta", "1.0.0", "Apache-2.0", optimizer<Adadelta>("plait.adadelta"));
