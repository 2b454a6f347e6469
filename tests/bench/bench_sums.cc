// What the exact sum costs: accumulate per shard, and reduce and mean per round, alone in the process.
// usage: bench_sums [elements] [shards]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "cluster/exact_sum.h"
#include "cluster/local_transport.h"

namespace plait {
namespace {

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Status measure(size_t elements, int shards) {
  PLAIT_ASSIGN(const auto sum, ExactSum::create({{"w", 0, elements, ReduceRule::kMean}}, shards));
  std::vector<float> delta(elements), mean(elements);
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 0.01f);
  for (float& x : delta) x = normal(generator);
  const auto world = single();
  for (int round = 0; round < 8; ++round) {
    const double begin = now_ms();
    sum->begin();
    for (int k = 0; k < shards; ++k) PLAIT_TRY(sum->accumulate(delta));
    const double added = now_ms();
    PLAIT_TRY(sum->reduce(*world));
    sum->mean(mean);
    std::printf("accumulate %.4f ms a shard, the rest of a round %.4f ms\n", (added - begin) / shards,
                now_ms() - added);
  }
  return {};
}

}  // namespace
}  // namespace plait

int main(int argc, char** argv) {
  const auto elements = static_cast<size_t>(argc > 1 ? std::atoll(argv[1]) : 61'706);  // LeNet-5's
  const plait::Status status = plait::measure(elements, argc > 2 ? std::atoi(argv[2]) : 4);
  if (!status) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status ? 0 : 1;
}
