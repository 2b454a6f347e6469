// What the exact sum costs: accumulate per shard, and reduce and mean per round, alone in the process.
// usage: bench_sums [elements] [shards] [MODULE]
// With MODULE (lib/plait/plait_mpi.so) under mpirun: shards are dealt out to the ranks, and rank 0 prints.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "cluster/exact_sum.h"
#include "cluster/local_transport.h"
#include "cluster/open_transport.h"

namespace plait {
namespace {

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Status measure(Transport& world, size_t elements, int shards) {
  PLAIT_ASSIGN(const auto sum, ExactSum::create({{"w", 0, elements, ReduceRule::kMean}}, shards));
  std::vector<float> delta(elements), mean(elements);
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 0.01f);
  for (float& x : delta) x = normal(generator);
  for (int round = 0; round < 8; ++round) {
    PLAIT_TRY(world.barrier());
    const double begin = now_ms();
    sum->begin();
    int own = 0;
    for (int k = world.rank(); k < shards; k += world.size(), ++own) PLAIT_TRY(sum->accumulate(delta));
    const double added = now_ms();
    PLAIT_TRY(world.barrier());
    const double met = now_ms();
    PLAIT_TRY(sum->reduce(world));
    sum->mean(mean);
    if (world.is_root())
      std::printf("accumulate %.4f ms a shard, the rest of a round %.4f ms\n",
                  (added - begin) / std::max(own, 1), now_ms() - met);
  }
  return {};
}

}  // namespace
}  // namespace plait

int main(int argc, char** argv) {
  const auto elements = static_cast<size_t>(argc > 1 ? std::atoll(argv[1]) : 61'706);  // LeNet-5's
  auto world = argc > 3 ? plait::open_transport(argv[3]) : plait::single();
  const plait::Status status =
      world ? plait::measure(**world, elements, argc > 2 ? std::atoi(argv[2]) : 4) : world.status();
  if (!status) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status ? 0 : 1;
}
