// FedAdam: the mean change of a round, through Adam.
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace {

struct ServerAdam {
  double rate = 0.01, beta1 = 0.9, beta2 = 0.99, tau = 0.001;

  static void describe(Describe<ServerAdam>& d) {
    d.doc("Adam on the mean change of a round");
    d.details(
        "D = mean of the shards' changes, m = beta1 m + (1 - beta1) D, v = beta2 v + (1 - beta2) D^2,\n"
        "w += rate m / (sqrt(v) + tau); before the first round m = 0, v = tau^2. Nothing is corrected for "
        "the "
        "beginning.\n"
        "Buffers and slots are averaged as they declare; shards without a result take no part.\n"
        "Source: Reddi, Charles, Zaheer, Garrett, Rush, Konecny, Kumar, McMahan 2021, algorithm 2 "
        "(FedAdam).");
    d.field("rate", &ServerAdam::rate).doc("size of a round's step").above(0).at_most(1e6);
    d.field("beta1", &ServerAdam::beta1).doc("memory of the mean").at_least(0).below(1);
    d.field("beta2", &ServerAdam::beta2).doc("memory of the squares").at_least(0).below(1);
    d.field("tau", &ServerAdam::tau)
        .doc("keeps the root from 0: how far steps are fitted")
        .above(0)
        .at_most(1e6);
  }
  void states(ReducerStates& s) const {
    s.state("mean");
    s.state("squares", tau * tau);
  }

  void combine_whole(Context& c, const WholeReduction& call) const {
    call.average_all(call.equal_weights());
    for (size_t t = 0; t < call.tensors(); ++t)
      if (call.tensor(t).is_parameter()) step(c, call, call.tensor(t));
  }

 private:
  void step(Context& c, const WholeReduction& call, const ReducedTensor& tensor) const {
    const Out m = call.state(0).subspan(tensor.first(), tensor.count()),
              v = call.state(1).subspan(tensor.first(), tensor.count()), change = call.combined_of(tensor);
    c.parallel_for(change.size(), [&](size_t i) {
      const double d = change[i];
      m[i] = static_cast<float>(beta1 * m[i] + (1 - beta1) * d);
      v[i] = static_cast<float>(beta2 * v[i] + (1 - beta2) * d * d);
      change[i] = static_cast<float>(rate * m[i] / (std::sqrt(double{v[i]}) + tau));
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.server_adam", "1.0.0", "Apache-2.0", reducer<ServerAdam>("plait.server_adam"));
