// Rows of one accumulator: those of a rank's splits, and on rank 0, once the ranks have met, those of all in
// the order of the splits. What exceeds the memory lies in files that have no names.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "cluster/transport.h"
#include "mapreduce/spill_file.h"

namespace plait::inline mapreduce {

// Threads: [one at a time]
class RowStore {
 public:
  void begin();
  // Fails with: kIo, as SpillFile::append.
  Status keep(int64_t split, Bytes rows, bool in_memory);
  // Of all its splits; written to files since begin.
  uint64_t bytes() const;
  uint64_t spilled_bytes() const { return spilled_; }
  // Brings all to rank 0, into memory, or into a file that is read like memory: the same bytes. `sent_bytes`:
  // what goes to other ranks is added. Fails with: kPeer; kStopped on all ranks; kIo. Threads: the
  // transport's
  Status join(Transport& transport, bool in_memory, uint64_t& sent_bytes);
  // After join, on rank 0.
  std::string_view joined() const;

 private:
  struct Rows {
    Bytes held;  // empty where they are in the file
    SpillSegment kept;
    uint64_t size() const { return held.empty() ? kept.bytes : held.size(); }
  };
  // Where rows of a split come to lie, in the order in which a rank sends them.
  struct Place {
    int64_t split = 0;
    uint64_t bytes = 0, offset = 0;
  };
  class Sender;
  class Receiver;
  Status join_in_memory(Transport& transport, uint64_t& sent_bytes);
  Status join_in_file(Transport& transport, uint64_t& sent_bytes);
  Result<std::vector<std::vector<Place>>> share_places(Transport& transport, uint64_t& sent_bytes) const;
  Status read(const Rows& rows, uint64_t first, std::span<std::byte> into) const;

  std::map<int64_t, Rows> by_split_;
  std::unique_ptr<SpillFile> file_, joined_file_;
  Bytes joined_;
  SpillMap joined_map_;
  uint64_t spilled_ = 0;
};

}  // namespace plait::inline mapreduce
