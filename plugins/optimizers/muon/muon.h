// What the implementations of muon share: its fields and constants.
#pragma once
#include <plait/sdk.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace optimizers {

using namespace plait::sdk;

// Source: Jordan and others 2024. The quintic a x + b x^3 + c x^5 takes every singular value of (0, 1] to
// about 1 (0.7 to 1.2) in five iterations.
constexpr float kA = 3.4445f, kB = -4.7750f, kC = 2.0315f;

struct Muon {
  double rate = 0.02, momentum = 0.95, weight_decay = 0, rest = 0.5;
  bool nesterov = true;
  int64_t iterations = 5;
  std::vector<std::string> by_sgd;
  static constexpr bool plain = true;

  static void describe(Describe<Muon>& d) {
    d.doc("steps by momentum that is made orthogonal, matrix by matrix");
    d.details(
        "v = momentum v + g; d = g + momentum v with nesterov, else v.\n"
        "Matrices [R, C] (of rank 2, or more: [rows, all others]): x = d / |d|; `iterations` times\n"
        "a = x x^T, x = 3.4445 x - 4.7750 a x + 2.0315 a a x (of the transposed matrix where R > C);\n"
        "w = (1 - rate weight_decay) w - rate sqrt(max(1, R / C)) x.\n"
        "Everything else: w = (1 - rate rest weight_decay) w - rate rest d; biases and scales do not decay.\n"
        "Source: Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein 2024, Muon: An optimizer for hidden "
        "layers\n"
        "in neural networks; in f32.");
    d.field("rate", &Muon::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("momentum", &Muon::momentum)
        .doc("share of the last step that goes on")
        .at_least(0)
        .below(1)
        .runtime();
    d.field("weight_decay", &Muon::weight_decay).doc("pull of the weights towards 0").range(0, 1e6).runtime();
    d.field("rest", &Muon::rest).doc("rate of what is no matrix, as a multiple of `rate`").range(0, 1e6);
    d.field("nesterov", &Muon::nesterov).doc("look ahead along the momentum");
    d.field("iterations", &Muon::iterations).doc("of Newton and Schulz").range(1, 100);
    d.field("by_sgd", &Muon::by_sgd).doc("parameters (\"c1.weight\") that are taken as no matrix");
    d.slot("velocity").reduce(Reduce::mean32);
    for (const char* room : {"direction", "product", "square"}) d.slot(room).reduce(Reduce::reset);
  }

  // Whether the call's parameter is made orthogonal; else it is stepped as by gradient descent.
  bool takes_as_matrix(const OptimizerCall& call) const {
    return call.shape.size() >= 2 && std::ranges::count(by_sgd, call.name) == 0;
  }
};

}  // namespace optimizers
