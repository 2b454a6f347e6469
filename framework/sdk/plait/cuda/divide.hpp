// Division of indices in kernels. Threads: [any]
#pragma once
#include <plait/anywhere.hpp>

#include <cstdint>

namespace plait::sdk::gpu {

// i / n and i % n, several times as fast where 32 bits hold i.
struct Divided {
  uint64_t quotient, remainder;
};
PLAIT_ANYWHERE inline Divided divide(uint64_t i, uint64_t n) {
  if ((i | n) >> 32 != 0) return {i / n, i % n};
  const auto small = static_cast<uint32_t>(i), by = static_cast<uint32_t>(n);
  return {small / by, small % by};
}

}  // namespace plait::sdk::gpu
