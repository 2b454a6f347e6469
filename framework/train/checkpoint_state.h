// The state of a checkpoint, all but its tensors, as a message of Protocol Buffers (checkpoint_state.proto).
#pragma once
#include <string>
#include <string_view>

#include "train/checkpoint.h"

namespace plait::inline train {

// Larger ones are refused unread: no run has as much to say of itself. Units: bytes
inline constexpr size_t kMostStateBytes = size_t{1} << 28;

std::string encode_state(const Checkpoint& checkpoint);
// A checkpoint without tensors. Every number keeps its bits, those of a NaN too.
// Fails with: kCorrupt when the bytes are no such message, or count what no run counts.
Result<Checkpoint> decode_state(std::string_view bytes);

}  // namespace plait::inline train
