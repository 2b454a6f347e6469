// Pairs on their way to the rank that reduces them.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "cluster/transport.h"
#include "mapreduce/pair_stream.h"

namespace plait::inline mapreduce {

// Sends each rank the pairs of its stream (of this rank's own: kept), in rounds of a bounded size, and gives
// what came, a stream for each rank, in their order, sorted as they were sent. What exceeds `memory_bytes`
// meanwhile lies in `file`, which outlives the streams. `sent_bytes`: what goes to other ranks is added.
// `held`: may be null. `own`: kLater leaves this rank's own stream as it is; kNow takes it into memory too, a
// message's bytes at a time, so that what it has to compute is done while others send. Fails with: a stream's
// failure; kPeer; kStopped on all ranks. Threads: [one at a time], the transport's thread
enum class OwnPairs { kLater, kNow };
Result<std::vector<std::unique_ptr<PairStream>>> exchange(Transport& transport,
                                                          std::vector<std::unique_ptr<PairStream>> to,
                                                          uint64_t memory_bytes, SpillFile& file,
                                                          uint64_t& sent_bytes, HeldBytes* held = nullptr,
                                                          OwnPairs own = OwnPairs::kLater);

}  // namespace plait::inline mapreduce
