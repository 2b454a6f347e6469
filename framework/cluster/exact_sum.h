// The exact reduce: the weighted mean of the shards' values as integer sums. Integer addition is associative
// and commutative, so any order of shards, any distribution over threads and ranks and any collective
// algorithm give the same bits. A value is added at once and thrown away: memory does not grow with the
// number of shards.
//
// Windows. All f32 numbers are multiples of 2^-149. Window t = 0, 1, ... 11 counts units u_t = 2^(24 t -
// 149). A value x is cut from the highest window down: its part in window t is q_t = (what is left of x) /
// u_t rounded to nearest, ties to even. So q_t is 0 while |x| <= u_t / 2; where it is not, |q_t| <= 2^23, and
// what is left is at most u_t / 2. The parts depend on x alone; at most two are not 0, and they give x
// exactly, since x has 24 bits. The top of x is its highest window with a part (1 at the least). Every
// element of the arena keeps two integers, the sums of the weighted parts in windows T and T - 1, where T is
// the highest top of the element's values so far; parts below are dropped. When T rises, the sums move down,
// and what leaves the two windows is dropped. In the end the two sums hold exactly the parts in windows T and
// T - 1 of all values, T being the highest top of all: whatever was dropped on the way would be dropped now.
// So they do not depend on the order. Where sums of ranks meet, all are moved up to the
// largest T and added.
//
// Error bound. Let M be the largest magnitude among the shards' values of an element, T its top. With T = 1
// nothing is dropped. Else M > u_T / 2, and what is dropped of a value is what is left of it after window
// T - 1, at most u_(T-1) / 2. So before its rounding to f32 the mean is off by at most
//     D = u_(T-1) / 2 = 2^-24 (u_T / 2) < 2^-24 M,
// and by nothing where no part was dropped. f64 adds less than 2^-51 M, and the one rounding to f32 half a
// unit in the last place of the mean. Let B be the power of two at or below M, so that this is at most 2^-24
// B (2^-150 for a denormal). Where B > u_T / 2, D is at most 2^-25 B, and all together is below 2^-23 M.
// Where B = u_T / 2, M is at least B (1 + 2^-23), and 2^-24 B + 2^-24 B + 2^-51 M is below 2^-23 M. So
//     |result - exact mean| <= 2^-23 M  (+ 2^-150 for a denormal result)
// for every element by itself, whatever its neighbours hold.
//
// Sums. With a total weight W of all shards a sum is at most 2^23 W: 32 bits hold it up to W = 255, 64 bits
// up to the largest W, 2^32. Both give the same bits. With W = 1 there is one shard: its values are kept as
// they are, to the bit.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "cluster/exact_kernels.h"
#include "cluster/transport.h"

namespace plait::inline cluster {

enum class ReduceRule {
  kMean,  // weighted mean: 9 bytes an element on every rank (17 from W = 256 on)
  kMax,   // largest value of any shard; weights do not matter
  kNone,  // not reduced: never read, never written
};

// Elements [offset, offset + count) of a flat f32 arena. `name` is used in messages only.
struct Segment {
  std::string name;
  size_t offset = 0;
  size_t count = 0;
  ReduceRule rule = ReduceRule::kMean;
};

// Fails with: kNumeric naming the segment and its first element that is not finite; `first` is values[0]'s
// number in it.
Status check_finite(const Segment& segment, size_t first, std::span<const float> values);
// Fails with: kPeer when the weights of the shards that were found are not those of all.
Status check_weights(int64_t found, int64_t total_weight);

// One round: begin(), accumulate() once per shard on whichever rank and thread has it, reduce() on all ranks,
// and then mean().
class ExactSum {
 public:
  static constexpr int64_t kLargestTotal = int64_t{1} << 32;

  // `total_weight`: the sum of the weights of all shards of all ranks; the number of shards for a plain mean.
  // Fails with: kInvalid when segments overlap, or total_weight is below 1 or above kLargestTotal.
  static Result<std::unique_ptr<ExactSum>> create(std::vector<Segment> segments, int64_t total_weight);
  ~ExactSum();

  // What create allocates for the sums, without what several ranks exchange. Units: bytes
  static uint64_t bytes(std::span<const Segment> segments, int64_t total_weight);
  // What each of several ranks holds while they exchange the sums of `elements`. Units: bytes, at most
  static uint64_t exchange_bytes(uint64_t elements, int64_t total_weight);

  // Forgets the sums. Allocates nothing.
  void begin();

  // Adds one shard's values to the sums. They are not needed afterwards.
  // Shapes: values [arena], at least as long as the last segment's end.
  // Fails with: kNumeric at a NaN or infinity, naming segment and element; the round is then lost.
  // Threads: [any], several at once: short locks on pieces of the arena; the order does not matter.
  Status accumulate(std::span<const float> values, int32_t weight = 1);

  // Sums that were made elsewhere, of shards that weigh `weight` together, in place of accumulate: whoever
  // calls it fills all of this before reduce, as Bins are filled. All segments that are reduced are of kMean,
  // and total_weight is above 1. Units: bytes; elements of the segments, one after the other
  struct Given {
    std::span<std::byte> high, low;
    std::span<uint8_t> window;
  };
  Given given(int64_t weight);

  // Whether sums of this total weight take 64 bits an integer.
  static bool is_wide(int64_t total_weight);
  static Status too_heavy(int32_t weight, int64_t total_weight);

  // Combines the sums of all ranks. Every rank makes the means of its part of the elements, and has the
  // others' from their ranks: 9 bytes an element go one way and 4 the other, each divided among the ranks.
  // (Allocates lists and scratch for blocks, where there are several.) Fails with: kPeer when the world is
  // lost or the weights of all shards do not add up to total_weight (a shard missing or counted twice).
  Status reduce(Transport& transport);
  // The same for several arenas in one meeting. (Allocates lists.)
  static Status reduce(Transport& transport, std::span<ExactSum* const> sums);

  // Writes the result of the round: sum / total_weight in f64, rounded to f32 once. Zero is always +0 (with
  // one shard everything is as it was).
  // Shapes: out [arena]; segments of kNone and gaps between segments are left alone.
  void mean(std::span<float> out) const;

  std::span<const Segment> segments() const { return segments_; }

 private:
  struct Piece;  // a part of a segment, with its lock
  ExactSum(std::vector<Segment> segments, int64_t total_weight);
  void place_sums();
  void cut_into_pieces();
  void begin(Piece& piece);
  Status add(Piece& piece, std::span<const float> values, int32_t weight);
  std::vector<Reduction> whole_parts();
  std::vector<BlockReduction> block_parts();
  Status check_complete() const;

  std::vector<Segment> segments_;
  int64_t total_weight_;
  std::vector<size_t> positions_;  // where a segment begins in the arrays of its rule
  // Of kMean segments; only those of the width that total_weight asks for. Shapes: [elements]
  std::vector<int32_t> high32_, low32_;
  std::vector<int64_t> high64_, low64_;
  std::vector<uint8_t> windows_;
  bool high_is_mean_ = false;  // after ranks have met: the bits of the means
  std::vector<int32_t> max_;   // of kMax segments, as integers of the same order
  std::vector<int32_t> bits_;  // with one shard: its values, 0 on other ranks
  std::unique_ptr<Piece[]> pieces_;
  size_t piece_count_ = 0;
  std::atomic<int64_t> weight_ = 0;
  int64_t found_weight_ = 0;  // of all ranks
  std::atomic<size_t> turn_ = 0;
};

}  // namespace plait::inline cluster
