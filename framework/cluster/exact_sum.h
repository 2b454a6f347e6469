// The exact reduce: the mean of the shards' deltas as an integer sum. Integer addition is associative and
// commutative, so any order of shards, any distribution over threads and ranks and any collective algorithm
// give the same bits.
//
// Fixed point. A segment (one tensor) has an exponent E, the same on all ranks. With B = 32 bits, or 63 bits
// of a 64-bit integer, total weight W = sum of w_k and h = ceil(log2 W), a value x becomes
//     q = round_to_nearest_even(x * 2^s),   s = B - 1 - h - E                          (s is at most 125)
// and must satisfy |q| <= Q = floor((2^(B-1) - 1) / W). So the sum of w_k q_k of any shards fits B bits.
//
// Error bound. Each q_k is within 1/2 of x_k 2^s, hence, before its one rounding to f32,
//     |mean - exact mean| = |sum w_k (q_k 2^-s - x_k)| / W <= 2^-(s+1) = 2^(E + h - B)
// and after it at most (2^-24 + 2^-51) |mean| more. E is the smallest exponent for which the largest
// magnitude M of the round fits, plus a headroom of g bits (2 for B = 32, 8 for B = 63); Q 2^-s is at least
// 2^E (1 - 2^-13), so 2^E <= 2^(g+1) M (1 + 2^-12) where nothing was larger before, and the error is at most
// 2^(g+1+h-B) M (1 + 2^-12): 2^-26 M for 8 shards in 32 bits, less than half a unit in M's last place; 2^-19
// M for 1,024 shards. In 63 bits and 1,024 shards it is 2^-44 M. The bound is absolute: an element much
// smaller than its segment's largest keeps fewer digits. Magnitudes below 2^-126 (denormal) count as 0, going
// in and coming out, whatever the processor is set to.
//
// The exponent of a round comes from the largest magnitudes of the rounds before (state, kept in checkpoints;
// after an outlier it comes down one bit a round), so a delta is added at once and thrown away: memory does
// not grow with the number of shards. A round whose values do not fit is done again with exponents that fit.
// The first round, which knows no magnitudes, is such a round.
#pragma once
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "cluster/transport.h"

namespace plait {

enum class ReduceRule {
  kMean32,  // weighted mean, 32-bit fixed point: as many bytes as f32
  kMean64,  // weighted mean, 64-bit fixed point: for small numbers that must not become 0 (second moments)
  kMax,     // largest value of any shard; weights do not matter
  kNone,    // not reduced: never read, never written
};

// Elements [offset, offset + count) of a flat f32 arena. `name` is used in messages only.
struct Segment {
  std::string name;
  size_t offset = 0;
  size_t count = 0;
  ReduceRule rule = ReduceRule::kMean32;
};

// One round: begin(), accumulate() once per shard on whichever rank and thread has it, reduce() on all ranks,
// and then mean(), or after kRedo the same again from begin() with the same shards.
class ExactSum {
 public:
  static constexpr int32_t kUnknownExponent = std::numeric_limits<int32_t>::min();
  enum class Outcome {
    kDone,  // mean() is ready
    kRedo,  // some value did not fit its exponent: do the round again; it fits then
  };

  // `total_weight`: the sum of the weights of all shards of all ranks; the number of shards for a plain mean.
  // Fails with: kInvalid when segments overlap, or total_weight is below 1 or above 65,536 for kMean32 (2^31
  // - 1 else).
  static Result<std::unique_ptr<ExactSum>> create(std::vector<Segment> segments, int64_t total_weight);
  ~ExactSum();

  // Forgets the sums and takes the exponents for this round. Allocates nothing.
  void begin();

  // Adds one shard's values to the sums. They are not needed afterwards.
  // Shapes: values [arena], at least as long as the last segment's end.
  // Fails with: kNumeric at a NaN or infinity, naming segment and element; the round is then lost.
  // Threads: [any], several at once: short locks on pieces of the arena; the order does not matter.
  Status accumulate(std::span<const float> values, int32_t weight = 1);

  // Combines the sums of all ranks. All ranks get the same outcome.
  // Fails with: kPeer when the world is lost or the weights of all shards do not add up to total_weight (a
  // shard missing or counted twice); kNumeric when another rank met a NaN or infinity.
  Result<Outcome> reduce(Transport& transport);
  // The same for several arenas in one meeting; kRedo when any needs it, and then all are done again.
  // (Allocates a list; the call for one arena allocates nothing.)
  static Result<Outcome> reduce(Transport& transport, std::span<ExactSum* const> sums);

  // Writes the result of the round: sum / total_weight in f64, rounded to f32 once. Zero is always +0.
  // Shapes: out [arena]; segments of kNone and gaps between segments are left alone.
  void mean(std::span<float> out) const;

  // The state for the next round: one exponent per segment, for checkpoints. The same on all ranks.
  std::span<const int32_t> exponents() const { return exponents_; }
  // Fails with: kCorrupt when the count differs or an exponent cannot be.
  Status restore(std::span<const int32_t> exponents);

  // Largest error of the mean of a segment in the round that was begun, before the rounding to f32.
  double error_bound(size_t segment) const;
  std::span<const Segment> segments() const { return segments_; }

 private:
  struct Piece;  // a part of a segment, with its lock
  // A segment's fixed point in this round, and where in its array of sums it begins.
  struct Scaled {
    size_t position = 0;
    float scale = 0;          // 2^s; 0 when the exponent is unknown: only zeros fit then
    double unit = 0;          // 2^-s
    uint32_t limit_bits = 0;  // of the largest |x| that fits
  };
  ExactSum(std::vector<Segment> segments, int64_t total_weight);
  void place_sums();
  void cut_into_pieces();
  Status add(Piece& piece, std::span<const float> values, int32_t weight);
  void close();
  Result<Outcome> conclude();

  std::vector<Segment> segments_;
  int64_t total_weight_;
  std::vector<int32_t> exponents_;  // for the next round
  std::vector<Scaled> scaled_;
  std::vector<int32_t> magnitudes_;  // per segment: bits of the largest |x| of this round
  std::vector<int32_t> sum32_;       // kMean32 segments, and last the sum of the weights
  std::vector<int64_t> sum64_;       // kMean64 segments
  std::vector<int32_t> max32_;       // kMax segments, as integers of the same order
  std::vector<Reduction> parts_;     // all of the above, to travel at once
  std::unique_ptr<Piece[]> pieces_;
  size_t piece_count_ = 0;
  std::atomic<int32_t> weight_ = 0;
  std::atomic<size_t> turn_ = 0;
};

}  // namespace plait
