#include "graph/machine_speed.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "graph/arena.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace plait::inline graph {
namespace {

using Clock = std::chrono::steady_clock;

// The loop over them is unrolled: else the sums lie in memory, and half of the speed is seen.
constexpr int kChains = 12;  // more than a processor's latency times its units, fewer than its registers
constexpr int kSteps = 200'000;
constexpr int kTries = 200;  // of the chains, half a millisecond each: others may disturb most of them
constexpr int kMemoryTries = 8;

// Keeps the compiler from leaving the chains out.
void keep(float value) {
  static std::atomic<float> kept;
  kept.store(value, std::memory_order_relaxed);
}

struct Chains {
  double flops;  // of one run
  void (*run)();
  const char* instruction_set;
};

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void chains_avx512() {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, a, b);
  for (const __m512& sum : sums) keep(_mm512_cvtss_f32(sum));
}
__attribute__((target("avx2,fma"))) void chains_avx2() {
  __m256 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, a, b);
  for (const __m256& sum : sums) keep(_mm256_cvtss_f32(sum));
}
#endif

using Four = float __attribute__((vector_size(16)));
void chains_base() {
  Four sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Four{} + static_cast<float>(i);
  const Four a = Four{} + 0.999f, b = Four{} + 1e-3f;
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (Four& sum : sums) sum = sum * a + b;
  for (const Four& sum : sums) keep(sum[0]);
}

Chains best_chains() {
  constexpr double kVectors = 2.0 * kChains * kSteps;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {16 * kVectors, chains_avx512, "avx512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {8 * kVectors, chains_avx2, "avx2"};
#endif
  return {4 * kVectors, chains_base, "base"};
}

// Runs work(0) to work(threads - 1) at once; the smallest of so many times. Units: s
template <class Work>
double smallest_seconds(Lanes& arena, int threads, int tries, Work work) {
  double best = 1e30;
  for (int run = 0; run < tries; ++run) {
    const auto begin = Clock::now();
    arena.execute([&] {
      const auto piece = [](void* user, uint64_t first, uint64_t end) {
        for (uint64_t i = first; i < end; ++i) (*static_cast<Work*>(user))(i);
        return 0;
      };
      return parallel_pieces(static_cast<uint64_t>(threads), 1, threads, piece, &work, nullptr);
    });
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

// Bytes a second that all threads move together.
double memory_speed(Lanes& arena, int threads) {
  constexpr size_t kFloats = size_t{16} << 20;  // 64 MiB each, of three arrays
  const size_t each = kFloats / static_cast<size_t>(threads);
  std::vector<float> a(kFloats), b(kFloats, 1.0f), c(kFloats, 2.0f);
  const double seconds = smallest_seconds(arena, threads, kMemoryTries, [&](uint64_t thread) {
    const size_t first = static_cast<size_t>(thread) * each;
    for (size_t i = first; i < first + each; ++i) a[i] = b[i] + 0.5f * c[i];
  });
  keep(a[kFloats / 2]);
  return 3.0 * sizeof(float) * static_cast<double>(each * static_cast<size_t>(threads)) / seconds;
}

}  // namespace

MachineSpeed measure_machine(int threads) {
  Lanes arena(threads);
  const Chains chains = best_chains();
  MachineSpeed speed;
  speed.instruction_set = chains.instruction_set;
  speed.flops =
      chains.flops * threads / smallest_seconds(arena, threads, kTries, [&](uint64_t) { chains.run(); });
  speed.bytes = memory_speed(arena, threads);
  return speed;
}

}  // namespace plait::inline graph
