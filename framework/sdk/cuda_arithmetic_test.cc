// What kernels for CUDA devices compute, as far as it needs no card.
#include <doctest/doctest.h>
#include <plait/cuda/divide.hpp>
#include <plait/cuda/philox.hpp>
#include <plait/cuda/rows.hpp>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/random.hpp>

namespace gpu = plait::sdk::gpu;

TEST_CASE("kernels draw the words that the host draws") {
  for (const plait_rng rng : {plait_rng{1, 2}, plait_rng{0xFEDCBA9876543210u, 0x0123456789ABCDEFu}}) {
    const plait::sdk::Random host(rng);
    for (const uint64_t index : {uint64_t{0}, uint64_t{1}, uint64_t{77}, uint64_t{1} << 40}) {
      const auto block = host.block(index);
      const gpu::FourWords words = gpu::philox(rng, index);
      for (size_t j = 0; j < 4; ++j) CHECK(words.word[j] == block[j]);
    }
  }
}

TEST_CASE("kernels divide alike in 32 and 64 bits") {
  for (const uint64_t i :
       {uint64_t{0}, uint64_t{6}, uint64_t{0xFFFFFFFF}, uint64_t{1} << 32, (uint64_t{7} << 40) + 5})
    for (const uint64_t n : {uint64_t{1}, uint64_t{7}, uint64_t{0xFFFFFFFF}, uint64_t{1} << 33}) {
      CHECK(gpu::divide(i, n).quotient == i / n);
      CHECK(gpu::divide(i, n).remainder == i % n);
    }
}

// Every element is added once, to its column, whatever the extents are.
TEST_CASE("sums of columns take every row once") {
  for (const uint64_t rows : {0, 1, 5, 256, 2049, 70000})
    for (const uint64_t columns : {1, 3, 33}) {
      const gpu::ColumnSplit split(rows, columns);
      CHECK(split.wide * split.high == gpu::ColumnSplit::kThreadsOfBlock);
      CHECK(split.pieces * split.rows_a_piece >= rows);
      CHECK(split.strips * split.wide >= columns);
      std::vector<float> x(rows * columns), sums(columns);
      for (uint64_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % columns + 1);
      gpu::testing::sum_columns(split, gpu::SumOf{x.data()}, gpu::KeepFirst{sums.data()});
      for (uint64_t column = 0; column < columns; ++column)
        CHECK(sums[column] == static_cast<float>(rows * (column + 1)));  // whole numbers below 2^24: exact
    }
}

TEST_CASE("rows are copied between matrices of different widths") {
  const std::vector<float> from = {1, 2, 3, 4, 5, 6};  // [2, 3]
  std::vector<float> to(10, 0);                        // [2, 5]
  gpu::testing::map(4, gpu::CopyRows{2, from.data() + 1, 3, to.data() + 3, 5});
  CHECK(to == std::vector<float>{0, 0, 0, 2, 3, 0, 0, 0, 5, 6});
}
