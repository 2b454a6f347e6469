// What the border costs: loading all shipped plugins, a call of a layer that does nothing, parallel_for.
//
// usage: bench_border        prints figures beside what is aimed at; nothing fails for being slow
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <plait/sdk.hpp>
#include <vector>

#include "graph/arena.h"
#include "layer_bench.h"
#include "registry/context.h"

namespace {

namespace fs = std::filesystem;
using namespace plait::sdk;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// One load in a process of its own, since a library is loaded once a process. Negative: it failed.
double load_ms(const plait::SearchPath& path) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  if (const pid_t child = ::fork(); child == 0) {
    const auto begin = Clock::now();
    const auto registry = plait::Registry::load(path);
    const double ms = registry && !registry->types().empty() ? milliseconds_since(begin) : -1;
    ::_exit(::write(ends[1], &ms, sizeof ms) == sizeof ms ? 0 : 1);
  } else {
    double ms = -1;
    if (::read(ends[0], &ms, sizeof ms) != sizeof ms) ms = -1;
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]), ::close(ends[1]);
    return ms;
  }
}

void print_loading(const fs::path& cache) {
  const plait::SearchPath path = plait::default_search_path({}, {});
  std::vector<double> cold, warm;
  for (int turn = 0; turn < 15; ++turn) {
    fs::remove_all(cache);
    cold.push_back(load_ms(path));
    warm.push_back(load_ms(path));
  }
  for (auto* times : {&cold, &warm}) std::sort(times->begin(), times->end());
  const auto registry = plait::Registry::load(path);
  const size_t count = registry ? registry->files().size() : 0;
  std::printf("loading %zu plugins (aim: 50 ms)\n", count);
  std::printf("  seen to load before        %8.1f ms, median of 15 (fastest %.1f)\n", warm[7], warm[0]);
  std::printf("  first tried in a child     %8.1f ms, median of 15 (fastest %.1f)\n", cold[7], cold[0]);
}

// The two ways to write a layer: views made by the SDK, or the call as it is.
struct Nothing {
  static void describe(Describe<Nothing>& d) { d.doc("does nothing"); }
  void forward(Context&, In, Out) const {}
  void backward(Context&, In, In, Out) const {}
};
struct NothingOfCalls {
  static void describe(Describe<NothingOfCalls>& d) { d.doc("does nothing, of whole calls"); }
  void infer(LayerShapes& s) const { s.output_like(0); }
  void forward(Context&, const LayerCall&) const {}
  void backward(Context&, const LayerCall&) const {}
};

template <class Body>
double nanoseconds(int calls, const Body& body) {
  double best = 1e30;
  for (int run = 0; run < 20; ++run) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i) body();
    best = std::min(best, 1e6 * milliseconds_since(begin) / calls);
  }
  return best;
}

void print_calls() {
  const PluginTable table("bench.border", "1.0.0", "Apache-2.0", layer<Nothing>("bench.nothing"),
                          layer<NothingOfCalls>("bench.nothing_of_calls"));
  const auto registry = plait::Registry::from_plugins({table.c()});
  if (!registry) return std::puts(registry.status().message().c_str()), void();
  std::puts("a call of a layer that does nothing, through its table (aim: 50 ns)");
  for (const char* type : {"bench.nothing", "bench.nothing_of_calls"}) {
    plait::bench::LayerBench bench(*registry, {type, {}, {1, 16}, "", true});
    std::printf("  %-26s %8.1f ns forward, %.1f ns backward\n", type,
                nanoseconds(200'000, [&] { bench.forward(); }),
                nanoseconds(200'000, [&] { bench.backward(); }));
  }
}

int no_work(void*, uint64_t, uint64_t) { return PLAIT_OK; }

void print_parallel_for() {
  std::puts("parallel_for over 64 pieces that do nothing");
  for (const int count : {1, 2}) {
    plait::Lanes lanes(count);
    plait::CallContext context(count, plait::parallel_pieces);
    const double ns = lanes.execute([&] {
      return nanoseconds(5'000, [&] { context.raw()->parallel_for(context.raw(), 64, 1, no_work, nullptr); });
    });
    std::printf("  %d lane%s                    %8.0f ns\n", count, count == 1 ? " " : "s", ns);
  }
}

}  // namespace

int main() {
  const fs::path cache = fs::temp_directory_path() / ("plait_bench_border_" + std::to_string(::getpid()));
  ::setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  print_loading(cache);
  print_calls();
  print_parallel_for();
  fs::remove_all(cache);
  return 0;
}
