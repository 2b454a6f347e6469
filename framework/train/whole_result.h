// What the only shard of a round makes, on the only rank, in host memory: its weights, buffers and slots are
// those of the round. Nothing is summed, and nothing is held beside them.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "cluster/exact_sum.h"
#include "graph/arena.h"
#include "train/round_state.h"

namespace plait::inline train {

// One round: check, and then take. Threads: [one at a time]
class WholeResult {
 public:
  // `segments`: of the arena, see value_segments; `slots`: those of each slot of the optimizer, none where it
  // is not taken. What is of kNone stays as it is; from `buffers` on it is what a round begins with anew.
  // Threads: [setup only]
  WholeResult(std::vector<Segment> segments, std::vector<std::vector<Segment>> slots, uint64_t buffers,
              int threads);

  // Whether all that a shard changes is taken: then its replica has what the next round begins with.
  bool is_all() const { return is_all_; }

  // Shapes: values [arena]; slots: one [trained] array each.
  // Fails with: kNumeric naming the first segment and element that is not finite, as ExactSum::accumulate.
  Status check(std::span<const float> values, std::span<const float* const> slots);
  // Of what was checked, as long as nobody has changed it.
  void take(RoundState& state);

 private:
  // Elements [first, first + count) of a segment.
  struct Piece {
    const Segment* segment = nullptr;
    int slot = -1;  // -1: of the arena
    uint64_t first = 0, count = 0;
  };
  void add(const std::vector<Segment>& segments, int slot, uint64_t buffers);
  std::span<const float> values_of(const Piece& piece) const;
  void run(int (*body)(void* self, uint64_t begin, uint64_t end));

  const std::vector<Segment> segments_;
  const std::vector<std::vector<Segment>> slots_;
  bool is_all_ = true;
  std::vector<Piece> pieces_;
  std::unique_ptr<Lanes> lanes_;  // null: the calling thread alone

  // Of the round under way.
  std::span<const float> values_;
  std::span<const float* const> slot_values_;
  RoundState* state_ = nullptr;
  std::atomic<uint64_t> first_bad_{0};  // piece
};

}  // namespace plait::inline train
