#include "mapreduce/pair_store.h"

#include <fmt/format.h>
#include <oneapi/tbb/parallel_sort.h>

#include <algorithm>
#include <cstring>

namespace plait {
namespace {

constexpr size_t kLeastChunk = size_t{4} << 10, kMostChunk = size_t{4} << 20, kAlign = 16, kFirstTable = 1024;
// Of the processor's caches.
constexpr size_t kLine = 64;
// Pairs that wait to be folded.
constexpr size_t kWaiting = 64, kWaitingBytes = size_t{64} << 10;
// What sorting takes for an entry.
constexpr size_t kSortBytes = 32;
// Written to the file at once.
constexpr size_t kWrite = size_t{4} << 20;

size_t rounded(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

// The first bytes of a key as a number in the same order.
uint64_t prefix_of(std::string_view key) {
  return __builtin_bswap64(pair::loaded(key.data(), std::min<size_t>(key.size(), 8)));
}

}  // namespace

// What follows it: of a listed one its place, then the partial or the value, rounded up to 16 bytes, then the
// key.
struct PairStore::Entry {
  uint64_t hash;
  uint32_t key_bytes;
  uint32_t value_bytes : 31;
  uint32_t is_listed : 1;

  struct Place {
    int64_t split, place;
  };
  Place& place() { return *reinterpret_cast<Place*>(this + 1); }
  const Place& place() const { return *reinterpret_cast<const Place*>(this + 1); }
  std::byte* value() { return reinterpret_cast<std::byte*>(this + 1) + is_listed * sizeof(Place); }
  const std::byte* value() const {
    return reinterpret_cast<const std::byte*>(this + 1) + is_listed * sizeof(Place);
  }
  std::byte* key_at() { return value() + rounded(value_bytes); }
  std::string_view key() const {
    return {reinterpret_cast<const char*>(value() + rounded(value_bytes)), key_bytes};
  }
};

struct PairStore::Slot {
  uint64_t hash = 0;
  Entry* entry = nullptr;
};

PairStore::PairStore(const Setup& setup)
    : setup_(setup),
      folds_(setup.combiner != nullptr && setup.combiner->is_commutative()),
      partial_room_(folds_ ? rounded(setup.combiner->bytes()) : 0),
      scratch_room_(partial_room_ + kAlign),
      runs_(static_cast<size_t>(setup.ranks)) {
  static_assert(sizeof(Entry) % kAlign == 0);
  const auto address = reinterpret_cast<uintptr_t>(scratch_room_.data());
  scratch_ = scratch_room_.data() + (kAlign - address % kAlign) % kAlign;
  emitter_.struct_size = sizeof emitter_;
  emitter_.host_data = this;
  emitter_.emit = [](const plait_emitter* emitter, plait_str key, plait_str value) -> int {
    auto* store = static_cast<PairStore*>(emitter->host_data);
    return store->add({key.data, key.size}, {value.data, value.size}) ? PLAIT_OK : PLAIT_FAILED;
  };
  clear();
}

PairStore::~PairStore() = default;

void PairStore::clear() {
  chunks_.clear();
  free_ = nullptr;
  free_bytes_ = 0;
  list_ = {};
  sorted_ = {};
  entries_ = 0;
  table_ = {};
  table_block_ = folds_ ? make_table(kFirstTable, table_) : LargeBlock();
  held_bytes_ = table_.size() * sizeof(Slot);
}

void PairStore::begin_split(int64_t split) {
  split_ = split;
  place_ = 0;
}

bool PairStore::refuse(Status why) {
  if (failure_) failure_ = std::move(why);
  return false;
}

bool PairStore::add(std::string_view key, std::string_view value) {
  if (!failure_) return false;
  if (key.size() > PLAIT_MAX_KEY) {
    return refuse({Code::kPlugin, fmt::format("key {} was emitted, wanted at most {} bytes", shown_key(key),
                                              PLAIT_MAX_KEY)});
  }
  const bool is_plain = setup_.kind == PLAIT_VALUE_I64 && value.size() == sizeof(int64_t);
  if (!is_plain) {
    if (const std::string fault = value_fault(setup_.kind, value); !fault.empty())
      return refuse({Code::kPlugin, fmt::format("key {} was emitted with {}", shown_key(key), fault)});
  }
  ++pairs_;
  if (folds_) return add_waiting(key, value);
  return add_listed(key, value) && spill_beyond();
}

bool PairStore::spill_beyond() {
  if (held_bytes_ <= setup_.memory_bytes || setup_.spill == nullptr) return true;
  const Status spilled = spill();
  return spilled ? true : refuse(spilled);
}

std::byte* PairStore::allocate(size_t bytes) {
  bytes = rounded(bytes);
  if (bytes > free_bytes_) {
    const size_t chunk =
        std::max(bytes, std::clamp<size_t>(setup_.memory_bytes / 16, kLeastChunk, kMostChunk));
    free_ = chunks_.emplace_back(chunk).data();
    free_bytes_ = chunk;
    held_bytes_ += chunk;
  }
  std::byte* const at = free_;
  free_ += bytes;
  free_bytes_ -= bytes;
  return at;
}

bool PairStore::add_waiting(std::string_view key, std::string_view value) {
  const uint64_t hash = key_hash(key);
  __builtin_prefetch(&table_[hash & (table_.size() - 1)]);
  waiting_.push_back({hash, static_cast<uint32_t>(waiting_bytes_.size()), static_cast<uint32_t>(key.size()),
                      static_cast<uint32_t>(value.size())});
  waiting_bytes_.append(key).append(value);
  return (waiting_.size() < kWaiting && waiting_bytes_.size() < kWaitingBytes) || flush();
}

bool PairStore::flush() {
  if (waiting_.empty()) return failure_.is_ok();
  const size_t mask = table_.size() - 1;
  for (const Waiting& one : waiting_)
    if (const Entry* entry = table_[one.hash & mask].entry) {
      __builtin_prefetch(entry);
      __builtin_prefetch(reinterpret_cast<const std::byte*>(entry) + kLine - sizeof(Entry));
    }
  bool is_good = failure_.is_ok();
  for (const Waiting& one : waiting_) {
    const std::string_view key(waiting_bytes_.data() + one.at, one.key_bytes);
    const std::string_view value(key.data() + key.size(), one.value_bytes);
    if (is_good) is_good = fold_one(one.hash, key, value);
  }
  waiting_.clear();
  waiting_bytes_.clear();
  return is_good && spill_beyond();
}

bool PairStore::fold_one(uint64_t hash, std::string_view key, std::string_view value) {
  const Combiner& combiner = *setup_.combiner;
  const size_t mask = table_.size() - 1;
  size_t at = hash & mask;
  for (; table_[at].entry != nullptr; at = (at + 1) & mask) {
    if (table_[at].hash != hash || table_[at].entry->key() != key) continue;
    if (!combiner.begin(context_, value, scratch_) ||
        !combiner.fold(context_, table_[at].entry->value(), scratch_))
      return refuse(combiner.failure(context_, key));
    return true;
  }
  auto* entry = new (allocate(sizeof(Entry) + partial_room_ + key.size()))
      Entry{hash, static_cast<uint32_t>(key.size()), static_cast<uint32_t>(combiner.bytes()), 0};
  std::memset(entry->value(), 0, partial_room_);
  if (!key.empty()) std::memcpy(entry->key_at(), key.data(), key.size());
  if (!combiner.begin(context_, value, entry->value())) return refuse(combiner.failure(context_, key));
  table_[at] = {hash, entry};
  held_bytes_ += kSortBytes;
  if (++entries_ * 3 > table_.size() * 2) grow();
  return true;
}

LargeBlock PairStore::make_table(size_t slots, std::span<Slot>& table) const {
  LargeBlock block(slots * sizeof(Slot));
  table = {reinterpret_cast<Slot*>(block.data()), slots};
  std::uninitialized_value_construct(table.begin(), table.end());
  return block;
}

void PairStore::grow() {
  std::span<Slot> larger;
  LargeBlock block = make_table(table_.size() * 2, larger);
  const size_t mask = larger.size() - 1;
  for (const Slot& slot : table_) {
    if (slot.entry == nullptr) continue;
    size_t at = slot.hash & mask;
    while (larger[at].entry != nullptr) at = (at + 1) & mask;
    larger[at] = slot;
  }
  held_bytes_ += (larger.size() - table_.size()) * sizeof(Slot);
  table_ = larger;
  table_block_ = std::move(block);
}

bool PairStore::add_listed(std::string_view key, std::string_view value) {
  auto* entry = new (allocate(sizeof(Entry) + sizeof(Entry::Place) + rounded(value.size()) + key.size()))
      Entry{key_hash(key), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size()), 1};
  entry->place() = {split_, place_++};
  if (!value.empty()) std::memcpy(entry->value(), value.data(), value.size());
  if (!key.empty()) std::memcpy(entry->key_at(), key.data(), key.size());
  list_.push_back(entry);
  held_bytes_ += sizeof(Entry*) + kSortBytes;
  return true;
}

std::vector<PairStore::Entry*> PairStore::all_entries() const {
  if (!folds_) return list_;
  std::vector<Entry*> all;
  all.reserve(entries_);
  for (const Slot& slot : table_)
    if (slot.entry != nullptr) all.push_back(slot.entry);
  return all;
}

Pair PairStore::pair_of(const Entry& entry) const {
  Pair pair{entry.key(), {reinterpret_cast<const char*>(entry.value()), entry.value_bytes}};
  if (entry.is_listed) pair.split = entry.place().split, pair.place = entry.place().place;
  return pair;
}

Status PairStore::sort() {
  struct Place {
    int rank;
    uint64_t prefix;
    Entry* entry;
  };
  if (!flush()) return failure_;
  std::vector<Place> places;
  for (Entry* entry : all_entries())
    places.push_back({rank_of(entry->hash, setup_.ranks), prefix_of(entry->key()), entry});
  tbb::parallel_sort(places.begin(), places.end(), [this](const Place& a, const Place& b) {
    if (a.rank != b.rank) return a.rank < b.rank;
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return pair_of(*a.entry) < pair_of(*b.entry);
  });
  sorted_.clear();
  first_of_rank_.assign(static_cast<size_t>(setup_.ranks) + 1, 0);
  for (const Place& place : places) {
    sorted_.push_back(place.entry);
    ++first_of_rank_[static_cast<size_t>(place.rank) + 1];
  }
  for (size_t r = 1; r < first_of_rank_.size(); ++r) first_of_rank_[r] += first_of_rank_[r - 1];
  return {};
}

Status PairStore::spill() {
  PLAIT_TRY(sort());
  Bytes buffer;
  for (size_t rank = 0; rank < runs_.size(); ++rank) {
    std::vector<SpillSegment>& run = runs_[rank].emplace_back();
    const auto write = [&]() -> Status {
      if (buffer.empty()) return {};
      PLAIT_ASSIGN(const SpillSegment segment, setup_.spill->append(buffer));
      run.push_back(segment);
      buffer.clear();
      return {};
    };
    for (size_t i = first_of_rank_[rank]; i < first_of_rank_[rank + 1]; ++i) {
      append_pair(pair_of(*sorted_[i]), buffer);
      if (buffer.size() >= kWrite) PLAIT_TRY(write());
    }
    PLAIT_TRY(write());
  }
  clear();
  return {};
}

// The sorted pairs of one rank in memory.
class PairStore::Sorted final : public PairStream {
 public:
  Sorted(const PairStore& store, size_t begin, size_t end) : store_(store), at_(begin), end_(end) {}
  bool next(Pair& pair) override {
    if (at_ == end_) return false;
    pair = store_.pair_of(*store_.sorted_[at_++]);
    return true;
  }

 private:
  const PairStore& store_;
  size_t at_, end_;
};

void PairStore::add_streams(int rank, size_t buffer_bytes,
                            std::vector<std::unique_ptr<PairStream>>& streams) const {
  const auto r = static_cast<size_t>(rank);
  if (first_of_rank_[r] != first_of_rank_[r + 1])
    streams.push_back(std::make_unique<Sorted>(*this, first_of_rank_[r], first_of_rank_[r + 1]));
  for (const std::vector<SpillSegment>& run : runs_[r])
    if (!run.empty())
      streams.push_back(std::make_unique<StoredPairs>(setup_.spill, run, Bytes(), buffer_bytes));
}

}  // namespace plait
