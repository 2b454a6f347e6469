// Philox against the known answers of its authors' library, and the draws made from it.
#include <doctest/doctest.h>

#include <plait/sdk/random.hpp>
#include <vector>

namespace plait::sdk {
namespace {

TEST_CASE("philox 4x32-10 gives the published answers") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr uint32_t kOnes = 0xffffffff;
  CHECK(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("key and counter lie where the header says") {
  // The third published answer again, through the 64-bit words of plait_rng.
  const Random random(0x299f31d0a4093822, 0x0370734413198a2e);
  CHECK(random.block(0x85a308d3243f6a88) == PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("drawing in turn and by number give the same words") {
  Random random(3, 9);
  for (uint64_t i = 0; i < 11; ++i) CHECK(random.next() == Random(3, 9).at(i));
}

TEST_CASE("moments of uniform and normal") {
  constexpr int kDraws = 200000;
  Random random(1, 0);
  double sum = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    CHECK_UNARY(u >= 0 && u < 1);
    sum += u;
    const double z = random.normal();
    normal_sum += z;
    normal_squares += z * z;
  }
  // Five standard errors: 5 / sqrt(12 n), 5 / sqrt(n), 5 sqrt(2 / n).
  CHECK(sum / kDraws == doctest::Approx(0.5).epsilon(0).scale(1).epsilon(0.0033));
  CHECK(std::abs(normal_sum / kDraws) < 0.0112);
  CHECK(std::abs(normal_squares / kDraws - 1) < 0.0159);
}

TEST_CASE("integers fill their range evenly") {
  constexpr int kDraws = 70000;
  std::vector<int> counts(7);
  Random random(5, 0);
  for (int i = 0; i < kDraws; ++i) ++counts[random.integer(7)];
  // Five deviations of a binomial count: 5 sqrt(n p (1 - p)) = 463.
  for (const int count : counts) CHECK(std::abs(count - kDraws / 7) < 463);
  CHECK(random.integer(1) == 0);
  for (int i = 0; i < 100; ++i) {
    const int64_t value = random.integer(-2, 2);
    CHECK_UNARY(value >= -2 && value <= 2);
  }
}

TEST_CASE("split generators differ from their parent and from each other") {
  const Random parent(1, 2);
  CHECK(parent.split(0).at(0) != parent.at(0));
  CHECK(parent.split(0).at(0) != parent.split(1).at(0));
  CHECK(parent.split(1).at(0) == Random(1, 2).split(1).at(0));
}

}  // namespace
}  // namespace plait::sdk
