// Kernels of which every element is computed by itself, written as structs: what a thread does is a function
// that a test may call on the host, for all elements in turn.
//
//   struct Halve {
//     const float* x;
//     float* y;
//     PLAIT_ANYWHERE void operator()(uint64_t i) const { y[i] = x[i] / 2; }
//   };
//   gpu::map(c, x.size(), Halve{x.data(), y.data()});
//
// Where memory decides the time, a struct has load and store in place of operator(): a thread then loads four
// elements before it stores the first.
//     PLAIT_ANYWHERE float load(uint64_t i) const { return x[i]; }
//     PLAIT_ANYWHERE void store(uint64_t i, float v) const { y[i] = v / 2; }
//
// Fails with: the runtime's text. Threads: [any], one stream at a time.
#pragma once
#include <plait/cuda.hpp>

namespace plait::sdk::gpu {

inline constexpr unsigned kEach = 4;  // elements of a thread that loads and stores

namespace detail {

template <class Work>
concept LoadsAndStores = requires(const Work& work, uint64_t i) {
  work.store(i, work.load(i));
};

template <class Work>
__global__ void call_each(uint64_t count, Work work) {
  const uint64_t i = index();
  if (i < count) work(i);
}

// Neighbouring threads have neighbouring elements.
template <class Work>
__global__ void load_and_store(uint64_t count, Work work) {
  const uint64_t first = blockIdx.x * uint64_t{kThreads * kEach} + threadIdx.x;
  if (first + kThreads * (kEach - 1) < count) {
    decltype(work.load(first)) values[kEach];
    for (unsigned k = 0; k < kEach; ++k) values[k] = work.load(first + k * kThreads);
    for (unsigned k = 0; k < kEach; ++k) work.store(first + k * kThreads, values[k]);
  } else {
    for (uint64_t i = first; i < count; i += kThreads) work.store(i, work.load(i));
  }
}

}  // namespace detail

// The blocks of a launch of `count` threads. Fails with: kUnsupported where there are more than a card has.
inline dim3 blocks_for(uint64_t count, uint64_t threads) {
  const uint64_t blocks = (count + threads - 1) / threads;
  if (blocks > 0x7FFFFFFF) throw Unsupported("a launch of ", count, " threads is more than a card takes");
  return dim3(static_cast<unsigned>(blocks));
}

template <class Work>
void map(const Context& c, uint64_t count, const Work& work) {
  if (count == 0) return;
  if constexpr (detail::LoadsAndStores<Work>) {
    launch(c, blocks_for(count, kThreads * kEach), kThreads, detail::load_and_store<Work>, count, work);
  } else {
    launch(c, blocks_for(count, kThreads), kThreads, detail::call_each<Work>, count, work);
  }
}

// to[i] = from[i]; nothing where both are the same memory.
template <class V>
struct Copy {
  const V* from;
  V* to;
  PLAIT_ANYWHERE V load(uint64_t i) const { return from[i]; }
  PLAIT_ANYWHERE void store(uint64_t i, V value) const { to[i] = value; }
};
template <class V>
void copy(const Context& c, const V* from, V* to, uint64_t count) {
  if (from != to) map(c, count, Copy<V>{from, to});
}

}  // namespace plait::sdk::gpu
