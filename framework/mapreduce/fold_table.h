// Keys in memory, each with the one partial that its values were folded into.
//
// Small pairs are what matters: millions of words with a count each. An entry is its partial, a use counter,
// the length of its key and the key. Where partial and key take at most 22 bytes, it is a cell of a table of
// such cells, found by one access to far memory; all others are packed one after the other into chunks, and
// the table beside them has 8 bytes a slot. So a word takes about 40 bytes, either way.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mapreduce/combiner.h"
#include "mapreduce/held_bytes.h"
#include "mapreduce/large_block.h"
#include "mapreduce/pair.h"
#include "mapreduce/prefix_sort.h"

namespace plait::inline mapreduce {

// Threads: [one at a time]; pair, sorted and fetch_pair after sort [any]
class FoldTable {
 public:
  // `bound_bytes`: where is_full says so; chunks are a small part of it. `held`: may be null.
  FoldTable(const Combiner& combiner, uint64_t bound_bytes, HeldBytes* held);

  // From memory into the caches: the slot that a key of this hash begins at, and its entry.
  // Always inline: a compiler that sees no effect in a function leaves out its calls.
  [[gnu::always_inline]] void fetch_slot(uint64_t hash, size_t key_bytes) const {
    if (!is_for_cells(key_bytes)) return __builtin_prefetch(&slots_[slot_of(hash)]);
    const Cell* const cell = &cells_[cell_of(hash)];
    __builtin_prefetch(cell);
    __builtin_prefetch(cell + 2);  // the next line, where it does not end in this one
  }
  void fetch_entry(uint64_t hash, size_t key_bytes) const;
  // Folds a value, or a partial of its combiner, into the key's. False: the context knows why.
  bool fold_value(CallContext& context, uint64_t hash, std::string_view key, std::string_view value);
  bool fold_partial(CallContext& context, uint64_t hash, std::string_view key, const std::byte* partial);
  // Where the key is one that comes often: folds the value, and fetches nothing from far memory. Others than
  // such a table's keys never are.
  enum class Folded { kNo, kYes, kFailed };
  Folded fold_frequent(CallContext& context, uint64_t hash, const ShortKey& key, std::string_view value);
  bool may_be_frequent(size_t key_bytes) const { return !frequent_.empty() && key_bytes <= Cell::kMostKey; }

  size_t size() const { return size_; }
  uint64_t bytes() const { return bytes_with(cells_.size()); }
  bool is_full() const { return has_full_cells_ || bytes() > bound_; }

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
  static constexpr uint8_t kMostUses = 255;
  static constexpr size_t kAlign = 16;
  // Of an entry's place: its other bits are the number of a cell.
  static constexpr uint64_t kInCells = uint64_t{1} << 63;
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
  // An entry of 8 bytes of partial and a short key, as a processor compares it.
  struct Cell {
    uint64_t partial;
    uint64_t head;  // uses, the key's length, its first 6 bytes; 0: no entry, as one was used once at least
    uint64_t rest;  // of the key, then zeros

    static constexpr size_t kMostKey = 14;
    static constexpr uint64_t kUses = 0xFF;
    static Cell of(const ShortKey& key) {
      return {0, key.low << 16 | key.size << 8, key.low >> 48 | key.high << 16};
    }
    ShortKey key() const { return {head >> 16 | rest << 48, rest >> 16, head >> 8 & 0xFF}; }
    bool has_key_of(const Cell& other) const {
      return ((head ^ other.head) & ~kUses) == 0 && rest == other.rest;
    }
    std::byte* entry() const { return reinterpret_cast<std::byte*>(const_cast<Cell*>(this)); }
  };
  // A key that comes often, as half of all words do: its entry moves beside those of others like it, so that
  // all of them stay in the processor's nearer caches. In `cell`, uses are how much more often it came than
  // others that would have its place.
  struct alignas(32) Frequent {
    Cell cell;
    Cell* home = nullptr;  // null: none is here
  };

  size_t slot_of(uint64_t hash) const {
    return static_cast<size_t>((hash & UINT32_MAX) * static_cast<uint64_t>(slots_.size()) >> 32);
  }
  size_t next(size_t slot) const { return slot + 1 < slots_.size() ? slot + 1 : 0; }
  bool is_for_cells(size_t key_bytes) const { return !cells_.empty() && key_bytes <= Cell::kMostKey; }
  // Cells of all sizes have one order: a larger table is filled from its beginning to its end. After each
  // clear() it is another one, as keys that come in the order of a table's cells would heap up in it.
  size_t cell_of(uint64_t hash) const {
    return static_cast<size_t>((hash * order_of_cells_ >> 32) * static_cast<uint64_t>(cells_.size()) >> 32);
  }
  uint64_t bytes_with(size_t cells) const {
    return chunk_bytes_ + slots_.size() * sizeof(Slot) + frequent_.size() * sizeof(Frequent) +
           cells * sizeof(Cell);
  }
  static uint64_t place_of(Slot slot) { return (slot & ((Slot{1} << kPlaceBits) - 1)) - 1; }
  size_t entry_bytes(size_t key_bytes) const;
  Entry read(std::byte* at) const;
  std::byte* at(uint64_t place) const {
    if ((place & kInCells) != 0) return cells_[place & ~kInCells].entry();
    return chunks_[place >> chunk_shift_].block.data() + (place & ((uint64_t{1} << chunk_shift_) - 1));
  }
  // The key's partial, where it has one.
  std::byte* find(uint64_t hash, std::string_view key, size_t& slot);
  std::byte* find_in_cells(uint64_t hash, std::string_view key, size_t& slot);
  std::byte* add(uint64_t hash, std::string_view key, size_t slot);
  std::byte* add_to_cells(uint64_t hash, std::string_view key, size_t slot);
  // Entries begin within the first 2^chunk_shift_ bytes of a chunk, or their places would be another's.
  bool has_room(const Chunk& chunk, size_t used, size_t bytes) const {
    return used >> chunk_shift_ == 0 && chunk.capacity - used >= bytes;
  }
  uint64_t allocate(size_t bytes);
  Frequent& frequent_at(uint64_t hash) { return frequent_[hash >> 32 & (frequent_.size() - 1)]; }
  // Gives where the cell's entry is from now on.
  std::byte* offer_frequent(uint64_t hash, Cell& cell);
  static void send_home(Frequent& one);
  void send_all_home();
  // Of a value, into memory of its own.
  bool begin(CallContext& context, std::string_view value);
  void copy_partial(std::byte* to, const std::byte* from) const {
    if (partial_bytes_ == 8)  // as most are: without a call
      std::memcpy(to, from, 8);
    else
      std::memcpy(to, from, partial_bytes_);
  }
  bool fold_into(CallContext& context, std::byte* mine, const std::byte* partial);
  void make_slots(size_t count);
  void fill_slots();
  bool has_cells() const;
  size_t next_cell(size_t cell) const { return cell + 1 < cells_.size() ? cell + 1 : 0; }
  size_t empty_cell(uint64_t hash) const {
    size_t cell = cell_of(hash);
    while (cells_[cell].head != 0) cell = next_cell(cell);
    return cell;
  }
  void make_cells(size_t count);
  // Those that `stays` says yes to, into a table of another size.
  template <class Stays>
  void move_cells(size_t count, Stays&& stays);
  // Those that `stays` says no to leave.
  template <class Stays>
  void thin_out_cells(Stays&& stays);
  void count_bytes() { held_.set(bytes() + order_room_ * sizeof(KeyPlace)); }
  template <class Body>
  void each_in_chunks(Body&& body) const;
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
  ZeroedBlock cell_block_;
  std::span<Cell> cells_;  // none where partials are larger
  bool has_full_cells_ = false;
  uint64_t order_of_cells_ = pair::kFirst;  // odd
  size_t size_ = 0, size_in_cells_ = 0;
  std::vector<Frequent> frequent_;  // a power of two, or none
  LargeBlock order_block_;
  size_t order_room_ = 0;
  std::span<KeyPlace> order_;  // in it
  std::vector<size_t> first_of_rank_;
  // A begun value, and a partial of the table: aligned as combiners want it.
  struct alignas(16) Partial {
    std::byte bytes[PLAIT_MAX_PARTIAL];
  };
  std::unique_ptr<Partial> begun_, other_, total_;
  // The value of 8 bytes that begun_ was begun with, as a task may emit the same one all the time.
  uint64_t begun_with_ = 0;
  bool has_begun_ = false;
  HeldBytes::Part held_;
};

// What each pair goes through is inline.

inline FoldTable::Folded FoldTable::fold_frequent(CallContext& context, uint64_t hash, const ShortKey& key,
                                                  std::string_view value) {
  Frequent& there = frequent_at(hash);
  if (there.home == nullptr || !there.cell.has_key_of(Cell::of(key))) return Folded::kNo;
  there.cell.head += static_cast<uint64_t>((there.cell.head & Cell::kUses) < kMostUses);
  const bool folded = begin(context, value) && fold_into(context, there.cell.entry(), begun_->bytes);
  return folded ? Folded::kYes : Folded::kFailed;
}

inline bool FoldTable::begin(CallContext& context, std::string_view value) {
  const bool is_word = value.size() == sizeof(uint64_t);
  const uint64_t word = is_word ? pair::word_at<uint64_t>(value.data()) : 0;
  if (has_begun_ && is_word && word == begun_with_) return true;
  std::memset(begun_->bytes, 0, partial_bytes_);  // a combiner may leave some of it as it is
  const bool is_begun = combiner_.begin(context, value, begun_->bytes);
  has_begun_ = is_word && is_begun;
  begun_with_ = word;
  return is_begun;
}

inline bool FoldTable::fold_into(CallContext& context, std::byte* mine, const std::byte* partial) {
  if (align_ == kAlign) return combiner_.fold(context, mine, partial);
  copy_partial(total_->bytes, mine);
  if (!combiner_.fold(context, total_->bytes, partial)) return false;
  copy_partial(mine, total_->bytes);
  return true;
}

}  // namespace plait::inline mapreduce
