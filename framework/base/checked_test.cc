#include "base/checked.h"

#include <doctest/doctest.h>

using namespace plait;

TEST_CASE("sizes end at the largest number") {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  CHECK(sum_or_most(3, 4) == 7);
  CHECK(sum_or_most(kMost, 0) == kMost);
  CHECK(sum_or_most(kMost, 1) == kMost);
  CHECK(sum_or_most(kMost - 3, 4) == kMost);
  CHECK(product_or_most(3, 4) == 12);
  CHECK(product_or_most(kMost, 0) == 0);
  CHECK(product_or_most(uint64_t{1} << 32, uint64_t{1} << 32) == kMost);
  CHECK(round_up_or_most(65, 64) == 128);
  CHECK(round_up_or_most(kMost, 64) == kMost / 64 * 64);
  CHECK(check_bytes("weights take", kMostBytes).is_ok());
  CHECK(check_bytes("weights take", uint64_t{1} << 52).message() ==
        "weights take 4096.0 TiB, more than any memory holds");
}

TEST_CASE("a product of a job's numbers is exact, or named") {
  CHECK(*checked_product("train", "samples", {3, 5, 7}) == 105);
  CHECK(*checked_product("train", "samples", {0, 5, 7}) == 0);
  const auto samples = checked_product("train", "samples", {1048576, 65536, 1, 9007199254740992});
  REQUIRE(!samples);
  CHECK(samples.status().message() ==
        "train: 1048576 x 65536 x 9007199254740992 samples are more than 64 bits count");
}
