// Keys in memory, each with the one partial that its values were folded into.
//
// Small pairs are what matters: millions of words with a count each. An entry is its partial, a use counter,
// the length of its key and the key, packed one after the other into chunks; the table beside them has 8
// bytes a slot. So a word takes about 30 bytes, and most of a frequent vocabulary stays in the processor's
// caches.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mapreduce/combiner.h"
#include "mapreduce/held_bytes.h"
#include "mapreduce/large_block.h"
#include "mapreduce/pair.h"

namespace plait::inline mapreduce {

// Threads: [one at a time]; pair, sorted and fetch_pair after sort [any]
class FoldTable {
 public:
  // `bound_bytes`: where is_full says so; chunks are a small part of it. `held`: may be null.
  FoldTable(const Combiner& combiner, uint64_t bound_bytes, HeldBytes* held);

  // From memory into the caches: the slot that a key of this hash begins at, and its entry.
  void fetch_slot(uint64_t hash) const { __builtin_prefetch(&slots_[slot_of(hash)]); }
  void fetch_entry(uint64_t hash) const;
  // Folds a value, or a partial of its combiner, into the key's. False: the context knows why.
  bool fold_value(CallContext& context, uint64_t hash, std::string_view key, std::string_view value);
  bool fold_partial(CallContext& context, uint64_t hash, std::string_view key, const std::byte* partial);
  // Where the key is one that comes often: folds the value, and fetches nothing from far memory.
  enum class Folded { kNo, kYes, kFailed };
  Folded fold_frequent(CallContext& context, uint64_t hash, std::string_view key, std::string_view value);

  size_t size() const { return size_; }
  uint64_t bytes() const {
    return chunk_bytes_ + slots_.size() * sizeof(Slot) + frequent_.size() * sizeof(Frequent);
  }
  bool is_full() const { return bytes() > bound_; }

  // Takes a key out.
  using Taker = std::function<Status(std::string_view key, const std::byte* partial)>;
  // Gives those that were met least to `take`, until the rest fills at most half of the bound.
  Status thin_out(const Taker& take);
  // Gives all, in any order, and is empty then.
  Status take_all(const Taker& take);

  // No key follows until clear. Sorts for each of `ranks` the keys that it reduces: those of `rank` are pairs
  // sorted(rank) to sorted(rank + 1).
  void sort(int ranks);
  size_t sorted(int rank) const { return first_of_rank_[static_cast<size_t>(rank)]; }
  Pair pair(size_t place) const;
  // From memory into the caches; a place past the last is none.
  void fetch_pair(size_t place) const;
  void clear();

 private:
  // 0: empty. Else 24 bits of the hash and, beyond 0, where the entry lies.
  using Slot = uint64_t;
  static constexpr int kPlaceBits = 40;
  static constexpr int kCreditBits = 8;
  struct Chunk {
    LargeBlock block;
    size_t capacity = 0, used = 0;
  };
  // What it reads in a chunk.
  struct Entry {
    std::byte* partial;
    uint8_t* uses;
    std::string_view key;
    size_t bytes;  // of all of it
  };
  struct Sorted {
    uint64_t prefix, place;
  };
  // A key that comes often, as half of all words do: its entry, beside those of others like it, so that all
  // of them stay in the processor's nearer caches. The hash's lowest 8 bits are how much more often it came
  // than others that would have its place.
  struct Frequent {
    uint64_t hash = 0;
    std::byte* entry = nullptr;
  };

  size_t slot_of(uint64_t hash) const {
    return static_cast<size_t>((hash & UINT32_MAX) * static_cast<uint64_t>(slots_.size()) >> 32);
  }
  size_t next(size_t slot) const { return slot + 1 < slots_.size() ? slot + 1 : 0; }
  static uint64_t place_of(Slot slot) { return (slot & ((Slot{1} << kPlaceBits) - 1)) - 1; }
  size_t entry_bytes(size_t key_bytes) const;
  Entry read(std::byte* at) const;
  std::byte* at(uint64_t place) const {
    return chunks_[place >> chunk_shift_].block.data() + (place & ((uint64_t{1} << chunk_shift_) - 1));
  }
  // The key's partial, where it has one.
  std::byte* find(uint64_t hash, std::string_view key, size_t& slot);
  std::byte* add(uint64_t hash, std::string_view key, size_t slot);
  // Entries begin within the first 2^chunk_shift_ bytes of a chunk, or their places would be another's.
  bool has_room(const Chunk& chunk, size_t used, size_t bytes) const {
    return used >> chunk_shift_ == 0 && chunk.capacity - used >= bytes;
  }
  uint64_t allocate(size_t bytes);
  Frequent& frequent_at(uint64_t hash) { return frequent_[hash >> kCreditBits & (frequent_.size() - 1)]; }
  void offer_frequent(uint64_t hash, std::byte* entry);
  void forget_frequent();
  // Of a value, into memory of its own.
  bool begin(CallContext& context, std::string_view value);
  bool fold_into(CallContext& context, std::byte* mine, const std::byte* partial);
  void make_slots(size_t count);
  void fill_slots();
  void count_bytes() { held_.set(bytes() + order_.capacity() * sizeof(Sorted)); }
  template <class Body>
  void each(Body&& body) const;

  const Combiner& combiner_;
  const size_t partial_bytes_;
  const size_t align_;  // of entries: 1 where partials are copied before they are folded
  const uint64_t bound_;
  const int chunk_shift_;
  std::vector<Chunk> chunks_;
  size_t open_ = 0;  // chunk that entries go into
  uint64_t chunk_bytes_ = 0;
  LargeBlock slot_block_;
  std::span<Slot> slots_;
  size_t size_ = 0;
  std::vector<Frequent> frequent_;  // a power of two, or none
  std::vector<Sorted> order_;
  std::vector<size_t> first_of_rank_;
  // A begun value, and a partial of the table: aligned as combiners want it.
  struct alignas(16) Partial {
    std::byte bytes[PLAIT_MAX_PARTIAL];
  };
  std::unique_ptr<Partial> begun_, total_;
  HeldBytes::Part held_;
};

}  // namespace plait::inline mapreduce
