// A sum of f64s that is the same bits in whatever order, and in whatever groups, the numbers are added.
//
// plait_sum (abi.h) says how it is kept. Source of the idea: Demmel and Nguyen 2015, "Parallel Reproducible
// Summation" (bins at fixed places; the lowest is dropped when a larger number comes, which leaves every bin
// as if the large number had come first).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "error.hpp"

namespace plait::sdk {

class OrderFreeSum {
 public:
  static constexpr int kBins = 4, kBinBits = 32;
  // Bit 0 of bin 0 has the value 2^kLowest: below the smallest denormal, 2^-1074, by more than the bins kept.
  static constexpr int kLowest = -1088;

  OrderFreeSum() = default;
  explicit OrderFreeSum(const plait_sum& sum) : s_(sum) {}
  const plait_sum& c() const { return s_; }

  // Fails with: kNumeric for NaN and infinity.
  void add(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const int exponent = static_cast<int>(bits >> 52 & 0x7FF);
    if (exponent == 0x7FF) throw Error(ErrorCode::kNumeric, value, " in a sum");
    uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
    if (exponent != 0) mantissa |= uint64_t{1} << 52;
    if (mantissa == 0) return;
    // value = +-mantissa * 2^place over 2^kLowest.
    const int place = (exponent == 0 ? 1 : exponent) - 1075 - kLowest;
    const int low_bin = place / kBinBits;
    const Wide wide = Wide{mantissa} << place % kBinBits;  // at most 84 bits: 3 bins
    int high_bin = low_bin + 2;
    while (static_cast<uint32_t>(wide >> (high_bin - low_bin) * kBinBits) == 0) --high_bin;
    raise(high_bin);
    const bool negative = bits >> 63;
    for (int bin = high_bin; bin >= low_bin && s_.highest - bin < kBins; --bin) {
      const auto part = static_cast<int64_t>(static_cast<uint32_t>(wide >> (bin - low_bin) * kBinBits));
      s_.bins[s_.highest - bin] += negative ? -part : part;
    }
  }

  void add(const plait_sum& other) {
    if (is_empty(other)) return;
    raise(other.highest);
    for (int i = 0; i < kBins; ++i) {
      const int at = s_.highest - other.highest + i;
      if (at < kBins) s_.bins[at] += other.bins[i];
    }
  }

  // The double nearest to what the bins hold, of two as near the even one: rounded once. Infinite where that
  // is beyond the largest.
  double value() const {
    // Carries upwards, so that all bins but the first are 0 .. 2^32 - 1: nothing cancels below.
    int64_t bins[kBins];
    int64_t carry = 0;
    for (int i = kBins - 1; i > 0; --i) {
      const int64_t whole = s_.bins[i] + carry;
      carry = whole >> kBinBits;
      bins[i] = whole - carry * (int64_t{1} << kBinBits);
    }
    bins[0] = s_.bins[0] + carry;
    if (bins[0] < 0) {  // of a negative sum the magnitude is taken, so that it is rounded as a positive one
      OrderFreeSum negated(s_);
      for (int64_t& bin : negated.s_.bins) bin = -bin;
      return -negated.value();
    }
    // The three bins from the first that counts, 65 bits or more where one is left out: of that, which is far
    // below the place that is rounded, only matters whether there is any. Below the smallest normal number
    // nothing is rounded, since no bit lies below 2^-1074.
    const int from = bins[0] == 0 ? 1 : 0;
    Wide whole = 0;
    for (int i = from; i < from + 3; ++i) whole = whole << kBinBits | static_cast<Wide>(bins[i]);
    if (from == 0 && bins[3] != 0) whole |= 1;
    return std::ldexp(static_cast<double>(whole), (s_.highest - from - 2) * kBinBits + kLowest);
  }

 private:
  __extension__ typedef unsigned __int128 Wide;

  static bool is_empty(const plait_sum& sum) { return sum.highest == 0 && (sum.bins[0] | sum.bins[1]) == 0; }

  // The bins that are kept reach up to `bin`.
  void raise(int bin) {
    if (is_empty(s_)) s_.highest = bin;
    const int by = bin - s_.highest;
    if (by <= 0) return;
    for (int i = kBins - 1; i >= 0; --i) s_.bins[i] = i >= by ? s_.bins[i - by] : 0;
    s_.highest = bin;
  }

  plait_sum s_{};
};

}  // namespace plait::sdk
