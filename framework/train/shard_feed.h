// The batches of one replica by their first position, prepared one ahead.
#pragma once
#include <memory>

#include "graph/input.h"

namespace plait {

// A batch that was wanted but is not taken next (a round is done again, say) is thrown away.
// Threads: [one at a time]
class ShardFeed {
 public:
  static constexpr int kBuffers = 2;  // one taken, one under way
  explicit ShardFeed(std::unique_ptr<InputGraph> input) : input_(std::move(input)) {}
  // Begins to prepare a batch, unless one is under way.
  void want(int64_t first_position);
  // Helps with the batch that is under way, if there is one, until it is ready.
  void prepare() { input_->prepare(); }
  // The batch, valid until the next take.
  Result<const Batch*> take(int64_t first_position);
  int64_t skipped_records() const { return input_->skipped_records(); }

 private:
  static constexpr int64_t kNone = -1;
  std::unique_ptr<InputGraph> input_;
  int64_t under_way_ = kNone;
};

}  // namespace plait
