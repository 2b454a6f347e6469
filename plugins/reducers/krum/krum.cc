// Krum: the shard that lies nearest to its neighbours.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using namespace plait::sdk;

namespace {

struct Krum {
  int64_t failures = 1, best = 1;

  static void describe(Describe<Krum>& d) {
    d.doc("the shard nearest to its neighbours, or the mean of the best ones");
    d.details(
        "score(k) = sum of |d(k) - d(j)|^2 over the K - failures - 2 nearest j; d: the change of the "
        "parameters.\n"
        "What the shard of the least score has is taken whole, buffers and slots too; of equal scores the "
        "first.\n"
        "best > 1: the mean of so many (multi-Krum). A shard without a result is far from all.\n"
        "Needs K >= 2 failures + 3 shards, and best <= K - failures.\n"
        "Source: Blanchard, El Mhamdi, Guerraoui, Stainer 2017, section 4; best: section 6.");
    d.field("failures", &Krum::failures).doc("shards that may send anything").range(0, 65536);
    d.field("best", &Krum::best).doc("shards that are averaged").range(1, 65536);
  }

  void combine_whole(Context& c, const WholeReduction& call) const {
    check(call);
    const std::vector<double> scores = scores_of(c, call);
    std::vector<size_t> order(call.shards);
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, {}, [&](size_t k) { return scores[k]; });
    std::vector<double> weights(call.shards);
    for (size_t i = 0; i < static_cast<size_t>(best); ++i) {
      if (!std::isfinite(scores[order[i]]))
        throw NumericError("shard ", order[i], " is among the best ", best,
                           ", but it or its neighbours have no result: more shards failed than ", failures);
      weights[order[i]] = 1;
    }
    call.average_all(weights);
  }

 private:
  void check(const WholeReduction& call) const {
    const auto shards = static_cast<int64_t>(call.shards), least = 2 * failures + 3;
    if (shards < least)
      throw Error("got ", shards, " shards, wanted ", least, " or more for failures: ", failures,
                  " (2 failures + 3)");
    if (best > shards - failures)
      throw Error("got best: ", best, ", wanted at most ", shards - failures, " for ", shards,
                  " shards and failures: ", failures);
  }
  std::vector<double> scores_of(Context& c, const WholeReduction& call) const {
    const size_t shards = call.shards, nearest = shards - static_cast<size_t>(failures) - 2;
    std::vector<double> distances(shards * shards, 0.0);
    c.parallel_for(shards, 1, [&](uint64_t k) {
      for (size_t j = k + 1; j < shards; ++j)
        distances[k * shards + j] = distances[j * shards + k] = distance(call, k, j);
    });
    std::vector<double> scores(shards);
    for (size_t k = 0; k < shards; ++k) {
      std::vector<double> others;
      for (size_t j = 0; j < shards; ++j)
        if (j != k) others.push_back(distances[k * shards + j]);
      std::ranges::sort(others);
      scores[k] = std::accumulate(others.begin(), others.begin() + static_cast<ptrdiff_t>(nearest), 0.0);
    }
    return scores;
  }
  // Of the parameters' changes, squared.
  static double distance(const WholeReduction& call, size_t k, size_t j) {
    if (call.failed(k) || call.failed(j)) return std::numeric_limits<double>::infinity();
    double sum = 0;
    for (size_t t = 0; t < call.tensors(); ++t) {
      const ReducedTensor tensor = call.tensor(t);
      if (!tensor.is_parameter()) continue;
      const In a = call.delta(k, tensor), b = call.delta(j, tensor);
      for (size_t i = 0; i < a.size(); ++i) {
        const double apart = double{a[i]} - double{b[i]};
        sum += apart * apart;
      }
    }
    return std::isfinite(sum) ? sum : std::numeric_limits<double>::infinity();
  }
};

}  // namespace

PLAIT_PLUGIN("plait.krum", "1.0.0", "Apache-2.0", reducer<Krum>("plait.krum"));
