// Numbers from files that meet each other: extents, counts, bytes. Plain sums and products of them may pass
// the end of 64 bits, which for bytes means less memory than is written to.
//
// Sizes in bytes are added up with the functions that end at the largest number, and compared once with
// kMostBytes. Counts of a job are multiplied by checked_product, which says which numbers are too much.
// Threads: [any]
#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>

#include "base/status.h"

namespace plait::inline base {

// No tensor has more elements, and nothing takes more bytes: no memory holds it, and sums of many such sizes
// stay far from the end of 64 bits.
inline constexpr int64_t kMostTensorElements = int64_t{1} << 48;
inline constexpr uint64_t kMostBytes = uint64_t{1} << 51;

// a + b, or the largest number where that does not fit.
constexpr uint64_t sum_or_most(uint64_t a, uint64_t b) {
  return a > std::numeric_limits<uint64_t>::max() - b ? std::numeric_limits<uint64_t>::max() : a + b;
}
// a * b, or the largest number where that does not fit.
constexpr uint64_t product_or_most(uint64_t a, uint64_t b) {
  return b != 0 && a > std::numeric_limits<uint64_t>::max() / b ? std::numeric_limits<uint64_t>::max()
                                                                : a * b;
}
// The smallest multiple of `step` that is at least `value`, or the largest one there is.
constexpr uint64_t round_up_or_most(uint64_t value, uint64_t step) {
  return sum_or_most(value, step - 1) / step * step;
}

// Fails with: kInvalid "the activations take 18 EiB, more than any memory holds" above kMostBytes.
Status check_bytes(const std::string& what, uint64_t bytes);

// The product of numbers that are not negative.
// Fails with: kInvalid "train: 1048576 x 65536 x 9007199254740992 samples are more than 64 bits count", where
// `what` is "train" and `unit` "samples".
Result<int64_t> checked_product(const std::string& what, const std::string& unit,
                                std::initializer_list<int64_t> factors);

}  // namespace plait::inline base
