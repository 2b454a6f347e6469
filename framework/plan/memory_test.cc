#include "plan/memory.h"

#include <doctest/doctest.h>

#include <limits>

using namespace plait;

TEST_CASE("blocks that live together do not overlap, others share") {
  std::vector<MemoryBlock> blocks = {{100, 0, 1}, {100, 1, 2}, {100, 2, 3}};
  CHECK(place_blocks(blocks, 64) == 256);
  CHECK(blocks[0].offset == 0);
  CHECK(blocks[1].offset == 128);
  CHECK(blocks[2].offset == 0);
}

TEST_CASE("blocks beyond 64 bits do not become small ones") {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  for (const uint64_t bytes : {kMost, kMost - 62, kMost / 2 + 1}) {
    std::vector<MemoryBlock> blocks = {{bytes, 0, 1}, {bytes, 0, 1}, {64, 0, 1}};
    CHECK(place_blocks(blocks, 64) >= kMost - 127);
  }
}
