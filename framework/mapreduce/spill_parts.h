// Partials that do not fit into memory, parted by their keys' hashes: each part has few enough keys to be
// folded in memory later. Nothing is sorted on the way, and a key may come any number of times.
#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "cluster/transport.h"
#include "mapreduce/held_bytes.h"
#include "mapreduce/spill_file.h"

namespace plait::inline mapreduce {

// Threads: [one at a time]
class SpillParts {
 public:
  // `memory_bytes`: for what is not written yet. Each part is of keys that one of `ranks` reduces.
  SpillParts(int ranks, size_t partial_bytes, uint64_t memory_bytes, SpillFile& file, HeldBytes* held);

  bool is_empty() const { return parts_.empty(); }
  Status add(std::string_view key, const std::byte* partial);
  // No more comes; the memory is given back.
  Status end();

  size_t count() const { return parts_.size(); }
  int rank_of_part(size_t part) const { return static_cast<int>(part / parts_of_rank_); }
  // All of a part, the piece that was written last first, one at a time in `buffer`.
  using Taker = std::function<Status(std::string_view key, const std::byte* partial)>;
  Status read(size_t part, Bytes& buffer, const Taker& take) const;

 private:
  // Pieces of the file, each of which begins with where the one before it lies: many small pieces take no
  // memory.
  struct Part {
    Bytes waiting;
    SpillSegment last;
  };
  Status write(Part& part);

  const size_t partial_bytes_;
  size_t parts_of_rank_, wanted_parts_, buffer_bytes_;
  SpillFile& file_;
  std::vector<Part> parts_;
  HeldBytes::Part held_;
};

}  // namespace plait::inline mapreduce
