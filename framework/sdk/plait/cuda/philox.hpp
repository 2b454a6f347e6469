// The words of <plait/sdk/random.hpp> in kernels: the same numbers as on the host.
// Source: Salmon, Moraes, Dror, Shaw 2011, section 3.3. Threads: [any]
#pragma once
#include <plait/abi.h>

#include <cstdint>

#include <plait/anywhere.hpp>

namespace plait::sdk::gpu {

struct FourWords {
  uint32_t word[4];
};

// Block number `index` of a generator, as Random::block gives it.
PLAIT_ANYWHERE inline FourWords philox(const plait_rng& rng, uint64_t index) {
  uint32_t c0 = static_cast<uint32_t>(index), c1 = static_cast<uint32_t>(index >> 32);
  uint32_t c2 = static_cast<uint32_t>(rng.counter_high), c3 = static_cast<uint32_t>(rng.counter_high >> 32);
  uint32_t k0 = static_cast<uint32_t>(rng.key), k1 = static_cast<uint32_t>(rng.key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * c0, b = uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(b);
    c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(a);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace plait::sdk::gpu
