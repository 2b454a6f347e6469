// The geometric median of the shards, by Weiszfeld's steps, smoothed.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace plait::sdk;

namespace {

constexpr size_t kBlock = 4096;  // elements of the point that are made at a time

struct GeometricMedian {
  int64_t iterations = 10;
  double smoothing = 1e-6;

  static void describe(Describe<GeometricMedian>& d) {
    d.doc("the point nearest to all shards by the sum of distances");
    d.details(
        "b(k) = samples(k) / max(smoothing, |v - d(k)|), v = sum b(k) d(k) / sum b(k), `iterations` times "
        "from "
        "v = 0;\n"
        "d: the change of the parameters. Buffers and slots are averaged with the last b. A shard without a "
        "result\n"
        "takes no part; more than half of them must have one.\n"
        "Source: Pillutla, Kakade, Harchaoui 2019, algorithm 2 (the smoothed Weiszfeld algorithm).");
    d.field("iterations", &GeometricMedian::iterations).doc("steps, always so many").range(1, 10000);
    d.field("smoothing", &GeometricMedian::smoothing)
        .doc("distance below which a shard pulls no harder")
        .above(0)
        .at_most(1e6);
  }

  void combine_whole(Context& c, const WholeReduction& call) const {
    check(call);
    std::vector<double> weights(call.shards, 0.0);  // v = 0
    for (int64_t i = 0; i < iterations; ++i) {
      const std::vector<double> distances = distances_from(c, call, weights);
      double sum = 0;
      for (size_t k = 0; k < call.shards; ++k) {
        const auto samples = static_cast<double>(call.result(k).samples);
        weights[k] = call.failed(k) ? 0 : samples / std::max(smoothing, distances[k]);
        sum += weights[k];
      }
      for (double& weight : weights) weight /= sum;
    }
    call.average_all(weights);
  }

 private:
  static void check(const WholeReduction& call) {
    size_t failed = 0, one = 0;
    for (size_t k = 0; k < call.shards; ++k)
      if (call.failed(k)) ++failed, one = k;
    if (2 * failed >= call.shards)
      throw NumericError(failed, " of ", call.shards, " shards, shard ", one,
                         " among them, have no result: the others are no majority");
  }
  // Of every shard's change of the parameters from v = sum weights(k) d(k).
  static std::vector<double> distances_from(Context& c, const WholeReduction& call,
                                            std::span<const double> weights) {
    size_t elements = 0;
    std::vector<ReducedTensor> tensors;
    for (size_t t = 0; t < call.tensors(); ++t)
      if (call.tensor(t).is_parameter()) tensors.push_back(call.tensor(t));
    for (const ReducedTensor& tensor : tensors)
      elements = std::max(elements, tensor.first() + tensor.count());
    const size_t pieces = (elements + kBlock - 1) / kBlock;
    std::vector<double> squares(pieces * call.shards, 0.0);  // by piece: the same for any number of lanes
    c.parallel_for(pieces, 1, [&](uint64_t piece) {
      for (const ReducedTensor& tensor : tensors) {
        const size_t begin = std::max<size_t>(tensor.first(), piece * kBlock),
                     end = std::min<size_t>(tensor.first() + tensor.count(), (piece + 1) * kBlock);
        for (size_t i = begin; i < end; ++i) add(call, weights, i, squares.data() + piece * call.shards);
      }
    });
    std::vector<double> distances(call.shards, 0.0);
    for (size_t i = 0; i < squares.size(); ++i) distances[i % call.shards] += squares[i];
    for (double& distance : distances) distance = std::sqrt(distance);
    return distances;
  }
  static void add(const WholeReduction& call, std::span<const double> weights, size_t i, double* squares) {
    double v = 0;
    for (size_t k = 0; k < call.shards; ++k)
      if (weights[k] > 0) v += weights[k] * call.delta(k)[i];
    for (size_t k = 0; k < call.shards; ++k) {
      if (call.failed(k)) continue;
      const double apart = call.delta(k)[i] - v;
      squares[k] += apart * apart;
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.geometric_median", "1.0.0", "Apache-2.0",
             reducer<GeometricMedian>("plait.geometric_median"));
