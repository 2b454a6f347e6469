// A small job over whatever world it is started in: transport_world MODULE SCENARIO. transport_test.sh runs
// it under mpirun and looks at what it prints and how it ends.
#include <signal.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>

#include "cluster/exact_sum.h"
#include "cluster/open_transport.h"

namespace plait {
namespace {

Bytes bytes_of(const std::string& text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

Status expect(bool holds, const std::string& what) {
  return holds ? Status() : Status(Code::kInvalid, "wrong result of " + what);
}

Status try_reductions(Transport& world) {
  const int n = world.size();
  std::vector<int32_t> a(100'000, world.rank() + 1);
  std::vector<int64_t> b = {(int64_t{1} << 40) + world.rank()};
  std::vector<double> c = {-0.5 * world.rank()};
  const Reduction parts[] = {Reduction::sum(std::span(a)), Reduction::sum(std::span(b)),
                             Reduction::max(std::span(c))};
  PLAIT_TRY(world.all_reduce(parts));
  PLAIT_TRY(expect(a == std::vector<int32_t>(a.size(), n * (n + 1) / 2), "a sum of int32"));
  PLAIT_TRY(expect(b[0] == (int64_t{1} << 40) * n + n * (n - 1) / 2, "a sum of int64"));
  return expect(c[0] == 0.0, "a maximum of f64");
}

Status try_messages(Transport& world) {
  const int last = world.size() - 1;
  Bytes word = bytes_of(world.rank() == last ? "last" : "....");
  PLAIT_TRY(world.broadcast(word, last));
  PLAIT_TRY(expect(word == bytes_of("last"), "broadcast"));
  const std::string mine(static_cast<size_t>(world.rank()), static_cast<char>('a' + world.rank()));
  PLAIT_ASSIGN(const auto everywhere, world.all_gather(bytes_of(mine)));
  for (size_t r = 0; r < everywhere.size(); ++r)
    PLAIT_TRY(expect(everywhere[r] == bytes_of(std::string(r, static_cast<char>('a' + r))), "all_gather"));
  PLAIT_ASSIGN(const auto at_root, world.gather(bytes_of(mine), last));
  PLAIT_TRY(expect(world.rank() == last ? at_root == everywhere : at_root.empty(), "gather"));
  return world.barrier();
}

// 12 shards over the ranks; what it prints is the same for any number of ranks.
Status try_exact_sum(Transport& world) {
  constexpr size_t kShards = 12, kElements = 1'200'001;  // several turns of blocks
  PLAIT_ASSIGN(const auto sum, ExactSum::create({{"w", 0, kElements, ReduceRule::kMean}}, kShards));
  for (size_t k = static_cast<size_t>(world.rank()); k < kShards; k += static_cast<size_t>(world.size())) {
    std::vector<float> delta(kElements);
    for (size_t i = 0; i < kElements; ++i) {
      const int exponent = static_cast<int>((i * 31 + k * 17 * (i % 3)) % 250) - 125;
      delta[i] = std::ldexp(1.0f / static_cast<float>(1 + (i * 7919 + k * 104729) % 1009), exponent);
    }
    PLAIT_TRY(sum->accumulate(delta));
  }
  PLAIT_TRY(sum->reduce(world));
  std::vector<float> mean(kElements);
  sum->mean(mean);
  uint64_t hash = 14695981039346656037u;
  for (const std::byte byte : std::as_bytes(std::span(mean)))
    hash = (hash ^ std::to_integer<uint64_t>(byte)) * 1099511628211u;
  if (world.is_root()) std::printf("mean %016llx\n", static_cast<unsigned long long>(hash));
  return {};
}

// Ranks other than 0 come a second late: rank 0 must wait without using the core.
Status try_idle_wait(Transport& world) {
  PLAIT_TRY(world.barrier());
  if (!world.is_root()) std::this_thread::sleep_for(std::chrono::seconds(1));
  const std::clock_t before = std::clock();
  PLAIT_TRY(world.barrier());
  const double used_s = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  return expect(!world.is_root() || used_s < 0.3,
                "an idle wait, which used " + std::to_string(used_s) + " s");
}

void busy(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

// Rank 0 waits in a collective and wants to stop; the last rank, in long work, learns of it. Then the world
// goes on.
Status try_stop(Transport& world) {
  const int last = world.size() - 1;
  world.set_stop([&world] { return world.is_root(); });
  Status met;
  if (world.rank() == last) {
    if (world.is_root()) world.tell_stop();  // alone
    while (!world.is_root() && !world.is_told_to_stop()) busy(0.002);
    met = world.abandon();
  } else {
    met = world.is_root() ? world.barrier() : try_reductions(world);
  }
  PLAIT_TRY(expect(met.code() == Code::kStopped, "a collective that a rank abandoned"));
  return try_messages(world);
}

Status run(Transport& world, const std::string& scenario) {
  const int last = world.size() - 1;
  if (scenario == "all") {
    PLAIT_TRY(try_reductions(world));
    PLAIT_TRY(try_messages(world));
    PLAIT_TRY(agree_same(world, "plan", "0123"));
    PLAIT_TRY(try_exact_sum(world));
    PLAIT_TRY(try_idle_wait(world));
    PLAIT_TRY(try_stop(world));
    if (world.is_root()) std::printf("passed on %d\n", world.size());
    return {};
  }
  if (scenario == "differ") return agree_same(world, "plan", world.rank() == last ? "4567" : "0123");
  if (scenario == "mismatch") return world.rank() == last ? world.barrier() : try_messages(world);
  if (scenario == "all_fail") return {Code::kNotFound, "no such file"};
  if (scenario == "last_fails" && world.rank() == last) return {Code::kNumeric, "the loss is not a number"};
  // The others fail while rank 0 computes and does not look.
  if (scenario == "root_busy") {
    if (world.is_root()) busy(30);
    return {Code::kNumeric, "the loss is not a number"};
  }
  if (scenario == "killed" && world.rank() == last) ::raise(SIGKILL);
  return world.barrier();
}

int run_main(const std::string& module, const std::string& scenario) {
  auto world = open_transport(module);
  if (!world) {
    // mpirun ends the other ranks when the first leaves: one that says nothing must not be the first.
    if (launcher_rank() != 0)
      std::this_thread::sleep_for(std::chrono::seconds(5));
    else
      std::fprintf(stderr, "plait: %s\n", world.status().message().c_str());
    return 1;
  }
  const Status status = run(**world, scenario);
  if (!status) (*world)->abort(status, 3);
  return status ? 0 : 3;
}

}  // namespace
}  // namespace plait

int main(int argc, char** argv) {
  if (argc == 3) return plait::run_main(argv[1], argv[2]);
  std::fprintf(stderr, "usage: transport_world MODULE SCENARIO\n");
  return 2;
}
