#include "mapreduce/pair_store.h"

#include <fmt/format.h>
#include <oneapi/tbb/parallel_sort.h>

#include <algorithm>
#include <cstring>

namespace plait::inline mapreduce {
namespace {

constexpr size_t kLeastChunk = size_t{4} << 10, kMostChunk = size_t{4} << 20, kAlign = 16;
// Pairs that wait to be folded.
constexpr size_t kWaiting = 64, kWaitingBytes = size_t{16} << 10;
// What sorting takes for a listed entry.
constexpr size_t kSortBytes = 32;
// Of a run, written at once.
constexpr size_t kLeastWrite = size_t{16} << 10, kMostWrite = size_t{4} << 20;
constexpr uint64_t kNoBound = UINT64_MAX / 2;

size_t rounded(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

}  // namespace

// Of the list. Its value follows it, rounded up to 16 bytes, then the key.
struct PairStore::Entry {
  int64_t split, place;
  uint64_t hash;
  uint32_t key_bytes, value_bytes;

  std::byte* value() { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* value() const { return reinterpret_cast<const std::byte*>(this + 1); }
  std::byte* key_at() { return value() + rounded(value_bytes); }
  std::string_view key() const {
    return {reinterpret_cast<const char*>(value() + rounded(value_bytes)), key_bytes};
  }
};

PairStore::PairStore(const Setup& setup)
    : setup_(setup),
      folds_(setup.combiner != nullptr && setup.combiner->is_commutative()),
      held_(setup.held),
      runs_(static_cast<size_t>(setup.ranks)) {
  static_assert(sizeof(Entry) % kAlign == 0);
  if (setup.spill == nullptr) setup_.memory_bytes = kNoBound;
  emitter_.struct_size = sizeof emitter_;
  emitter_.host_data = this;
  emitter_.value = setup.kind;
  emitter_.emit = emit;
  if (!folds_) return;
  waiting_.reserve(kWaiting);
  const uint64_t for_parts = setup_.memory_bytes / 4;
  table_ = std::make_unique<FoldTable>(*setup.combiner, setup_.memory_bytes - for_parts, setup.held);
  if (setup.spill != nullptr)
    parts_ = std::make_unique<SpillParts>(setup.ranks, setup.combiner->bytes(), for_parts, *setup.spill,
                                          setup.held);
  to_parts_ = [this](std::string_view key, const std::byte* partial) { return parts_->add(key, partial); };
}

PairStore::~PairStore() = default;

void PairStore::clear_list() {
  chunks_.clear();
  free_ = nullptr;
  free_bytes_ = 0;
  list_ = {};
  sorted_ = {};
  first_of_rank_.clear();
  held_bytes_ = 0;
  count_list();
}

void PairStore::begin_split(int64_t split) {
  split_ = split;
  place_ = 0;
}

bool PairStore::refuse(Status why) {
  if (failure_) failure_ = std::move(why);
  return false;
}

bool PairStore::spill_beyond() {
  Status spilled;
  if (folds_) {
    if (table_->is_full()) spilled = table_->thin_out(to_parts_);
  } else if (held_bytes_ > setup_.memory_bytes) {
    sort_list();
    spilled = write_runs();
    clear_list();
  }
  return spilled ? true : refuse(spilled);
}

// ---- folding

[[gnu::always_inline]] inline bool PairStore::fold(std::string_view key, std::string_view value) {
  if (!table_->may_be_frequent(key.size())) return add_waiting(key_hash(key), key, value);
  const ShortKey words = ShortKey::of(key);
  const uint64_t hash = key_hash(words);
  const auto folded = table_->fold_frequent(context_, hash, words, value);
  if (folded == FoldTable::Folded::kYes) return true;
  if (folded == FoldTable::Folded::kFailed) return refuse(setup_.combiner->failure(context_, key));
  return add_waiting(hash, key, value);
}

[[gnu::always_inline]] inline bool PairStore::add_pair(std::string_view key, std::string_view value) {
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
  if (folds_) return fold(key, value);
  return add_listed(key, value) && spill_beyond();
}

bool PairStore::add(std::string_view key, std::string_view value) { return add_pair(key, value); }

int PairStore::emit(const plait_emitter* emitter, plait_str key, plait_str value) {
  auto* store = static_cast<PairStore*>(emitter->host_data);
  return store->add_pair({key.data, key.size}, {value.data, value.size}) ? PLAIT_OK : PLAIT_FAILED;
}

bool PairStore::add_waiting(uint64_t hash, std::string_view key, std::string_view value) {
  constexpr size_t kLoose = 8;  // copy_loosely may write as much after it
  const size_t bytes = key.size() + value.size() + kLoose;
  if (waiting_.size() == kWaiting || waiting_used_ + bytes > waiting_bytes_.size()) {
    if (!flush()) return false;
    if (bytes > waiting_bytes_.size()) {
      waiting_bytes_.resize(std::max(bytes, kWaitingBytes));
      count_list();
    }
  }
  table_->fetch_slot(hash, key.size());
  waiting_.push_back({hash, static_cast<uint32_t>(waiting_used_), static_cast<uint32_t>(key.size()),
                      static_cast<uint32_t>(value.size())});
  char* const to = waiting_bytes_.data() + waiting_used_;
  pair::copy_loosely(key, to);
  pair::copy_loosely(value, to + key.size());
  waiting_used_ += key.size() + value.size();
  return true;
}

bool PairStore::flush() {
  if (waiting_.empty()) return failure_.is_ok();
  for (const Waiting& one : waiting_) table_->fetch_entry(one.hash, one.key_bytes);
  bool is_good = failure_.is_ok();
  for (const Waiting& one : waiting_) {
    const std::string_view key(waiting_bytes_.data() + one.at, one.key_bytes);
    const std::string_view value(key.data() + key.size(), one.value_bytes);
    if (is_good && !table_->fold_value(context_, one.hash, key, value))
      is_good = refuse(setup_.combiner->failure(context_, key));
  }
  waiting_.clear();
  waiting_used_ = 0;
  return is_good && spill_beyond();
}

// Each part's keys become a run; more than one where they do not fit into memory.
Status PairStore::fold_parts() {
  PLAIT_TRY(table_->take_all(to_parts_));
  PLAIT_TRY(parts_->end());
  Bytes buffer;
  for (size_t part = 0; part < parts_->count(); ++part) {
    PLAIT_TRY(parts_->read(part, buffer, [&](std::string_view key, const std::byte* partial) -> Status {
      if (!table_->fold_partial(context_, key_hash(key), key, partial))
        return setup_.combiner->failure(context_, key);
      return table_->is_full() ? write_runs() : Status();
    }));
    if (setup_.cancelled != nullptr && *setup_.cancelled) return {Code::kStopped, "pairs were being folded"};
    PLAIT_TRY(write_runs());
  }
  return {};
}

// ---- listing

std::byte* PairStore::allocate(size_t bytes) {
  bytes = rounded(bytes);
  if (bytes > free_bytes_) {
    const size_t chunk =
        std::max(bytes, std::clamp<size_t>(setup_.memory_bytes / 16, kLeastChunk, kMostChunk));
    free_ = chunks_.emplace_back(chunk).data();
    free_bytes_ = chunk;
    held_bytes_ += chunk;
    count_list();
  }
  std::byte* const at = free_;
  free_ += bytes;
  free_bytes_ -= bytes;
  return at;
}

bool PairStore::add_listed(std::string_view key, std::string_view value) {
  auto* entry = new (allocate(sizeof(Entry) + rounded(value.size()) + key.size()))
      Entry{split_, place_++, key_hash(key), static_cast<uint32_t>(key.size()),
            static_cast<uint32_t>(value.size())};
  if (!value.empty()) std::memcpy(entry->value(), value.data(), value.size());
  if (!key.empty()) std::memcpy(entry->key_at(), key.data(), key.size());
  list_.push_back(entry);
  held_bytes_ += sizeof(Entry*) + kSortBytes;
  return true;
}

Pair PairStore::pair_of(const Entry& entry) const {
  return {entry.key(),
          {reinterpret_cast<const char*>(entry.value()), entry.value_bytes},
          entry.split,
          entry.place};
}

void PairStore::sort_list() {
  struct Place {
    int rank;
    uint64_t prefix;
    Entry* entry;
  };
  std::vector<Place> places;
  places.reserve(list_.size());
  for (Entry* entry : list_)
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
}

// ---- both

Pair PairStore::sorted_pair(size_t place) const {
  return folds_ ? table_->pair(place) : pair_of(*sorted_[place]);
}

size_t PairStore::first_of(size_t rank) const {
  return folds_ ? table_->sorted(static_cast<int>(rank)) : first_of_rank_[rank];
}

Status PairStore::finish(uint64_t most_bytes) {
  if (!flush()) return failure_;
  if (!folds_) {
    sort_list();
    if (held_bytes_ <= most_bytes) return {};
    PLAIT_TRY(write_runs());
    clear_list();
    sort_list();
    return {};
  }
  if (parts_ != nullptr && (!parts_->is_empty() || table_->bytes() > most_bytes)) PLAIT_TRY(fold_parts());
  table_->sort(setup_.ranks);
  return {};
}

// Of what memory holds: a run for each rank that has some of it. Of a table, which is empty then.
Status PairStore::write_runs() {
  if (folds_) table_->sort(setup_.ranks);
  const size_t piece = std::clamp<size_t>(setup_.memory_bytes / 16, kLeastWrite, kMostWrite);
  Bytes buffer;
  buffer.reserve(piece);
  const HeldBytes::Part held(setup_.held, piece);
  for (size_t rank = 0; rank < runs_.size(); ++rank) {
    std::vector<SpillSegment> run;
    const auto write = [&]() -> Status {
      PLAIT_ASSIGN(const SpillSegment segment, setup_.spill->append(buffer));
      run.push_back(segment);
      buffer.clear();
      return {};
    };
    for (size_t i = first_of(rank); i < first_of(rank + 1); ++i) {
      const Pair pair = sorted_pair(i);
      if (!buffer.empty() && buffer.size() + pair_bytes(pair) > piece) PLAIT_TRY(write());
      append_pair(pair, buffer);
    }
    if (!buffer.empty()) PLAIT_TRY(write());
    if (!run.empty()) runs_[rank].push_back(std::move(run));
  }
  if (folds_) table_->clear();
  return {};
}

// The sorted pairs of one rank in memory.
class PairStore::Sorted final : public PairStream {
 public:
  Sorted(const PairStore& store, size_t begin, size_t end) : store_(store), at_(begin), end_(end) {}
  bool next(Pair& pair) override {
    if (at_ == end_) return false;
    if (store_.folds_) store_.table_->fetch_pair(at_ + kAhead);
    pair = store_.sorted_pair(at_++);
    return true;
  }

 private:
  static constexpr size_t kAhead = 16;  // read from memory meanwhile
  const PairStore& store_;
  size_t at_, end_;
};

void PairStore::add_streams(int rank, size_t buffer_bytes,
                            std::vector<std::unique_ptr<PairStream>>& streams) const {
  const auto r = static_cast<size_t>(rank);
  if (first_of(r) != first_of(r + 1))
    streams.push_back(std::make_unique<Sorted>(*this, first_of(r), first_of(r + 1)));
  for (const std::vector<SpillSegment>& run : runs_[r])
    streams.push_back(
        std::make_unique<StoredPairs>(setup_.spill, run, std::vector<Bytes>(), buffer_bytes, setup_.held));
}

size_t PairStore::streams() const {
  size_t count = 0;
  for (size_t rank = 0; rank < runs_.size(); ++rank)
    count += runs_[rank].size() + (first_of(rank) != first_of(rank + 1) ? 1 : 0);
  return count;
}

}  // namespace plait::inline mapreduce
