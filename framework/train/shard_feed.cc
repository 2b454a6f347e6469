#include "train/shard_feed.h"

namespace plait {

void ShardFeed::want(int64_t first_position) {
  if (under_way_ != kNone) return;
  input_->start(first_position);
  under_way_ = first_position;
}

Result<const Batch*> ShardFeed::take(int64_t first_position) {
  if (under_way_ != kNone && under_way_ != first_position) {
    under_way_ = kNone;
    PLAIT_ASSIGN([[maybe_unused]] const Batch* unused, input_->take());
  }
  want(first_position);
  under_way_ = kNone;
  return input_->take();
}

}  // namespace plait
