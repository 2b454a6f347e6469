#include "mapreduce/fold_table.h"

#include <oneapi/tbb/parallel_sort.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

namespace plait::inline mapreduce {
namespace {

constexpr size_t kLeastChunk = size_t{4} << 10, kMostChunk = size_t{4} << 20, kFirstSlots = 1024;
// Larger partials are folded where they are, and are aligned.
constexpr size_t kMostCopied = 64, kAlign = 16;
// A length below it is one byte.
constexpr uint8_t kLongKey = 255;
constexpr uint8_t kMostUses = 255;
// Uses from which on a key is offered a place of those that come often; how many places there are, and how
// small a part of the bound they are.
constexpr uint8_t kManyUses = 64;
constexpr size_t kMostFrequent = 8192, kFrequentShare = 64;
constexpr uint64_t kMostCredit = 255;

size_t rounded(size_t bytes, size_t align) { return (bytes + align - 1) / align * align; }

size_t chunk_of(uint64_t bound_bytes) {
  return std::bit_floor(std::clamp<size_t>(bound_bytes / 32, kLeastChunk, kMostChunk));
}

uint64_t tag_of(uint64_t hash) { return hash >> 40; }

// Of eight bytes, as most are, without a call.
void copy_partial(std::byte* to, const std::byte* from, size_t bytes) {
  if (bytes == 8)
    std::memcpy(to, from, 8);
  else
    std::memcpy(to, from, bytes);
}

}  // namespace

FoldTable::FoldTable(const Combiner& combiner, uint64_t bound_bytes, HeldBytes* held)
    : combiner_(combiner),
      partial_bytes_(combiner.bytes()),
      align_(partial_bytes_ < kMostCopied ? 1 : kAlign),
      bound_(bound_bytes),
      chunk_shift_(std::countr_zero(chunk_of(bound_bytes))),
      begun_(std::make_unique<Partial>()),
      total_(std::make_unique<Partial>()),
      held_(held) {
  const uint64_t places = bound_ / kFrequentShare / sizeof(Frequent);
  frequent_.resize(std::bit_floor(std::min<uint64_t>(places, kMostFrequent)));
  clear();
}

void FoldTable::clear() {
  forget_frequent();
  chunks_.clear();
  chunk_bytes_ = 0;
  open_ = 0;
  size_ = 0;
  order_ = {};
  first_of_rank_.clear();
  make_slots(kFirstSlots);
  count_bytes();
}

void FoldTable::make_slots(size_t count) {
  slots_ = {};
  slot_block_ = {};  // before the next one: the old one is not read again
  slot_block_ = LargeBlock(count * sizeof(Slot));
  slots_ = {reinterpret_cast<Slot*>(slot_block_.data()), count};
  std::uninitialized_value_construct(slots_.begin(), slots_.end());
}

inline size_t FoldTable::entry_bytes(size_t key_bytes) const {
  const size_t length = key_bytes < kLongKey ? 1 : 1 + sizeof(uint32_t);
  return rounded(partial_bytes_ + 1 + length + key_bytes, align_);
}

inline FoldTable::Entry FoldTable::read(std::byte* entry) const {
  auto* const head = reinterpret_cast<uint8_t*>(entry + partial_bytes_);
  const char* key = reinterpret_cast<const char*>(head + 2);
  size_t length = head[1];
  if (length == kLongKey) {
    uint32_t whole;
    std::memcpy(&whole, key, sizeof whole);
    key += sizeof whole;
    length = whole;
  }
  return {entry, head, {key, length}, entry_bytes(length)};
}

void FoldTable::fetch_entry(uint64_t hash) const {
  size_t slot = slot_of(hash);
  while (slots_[slot] != 0 && slots_[slot] >> kPlaceBits != tag_of(hash)) slot = next(slot);
  if (slots_[slot] != 0) __builtin_prefetch(at(place_of(slots_[slot])));
}

// Takes the place of a key that came no more often than others of that place.
void FoldTable::offer_frequent(uint64_t hash, std::byte* entry) {
  if (frequent_.empty()) return;
  Frequent& there = frequent_at(hash);
  if ((there.hash & kMostCredit) > 0)
    --there.hash;
  else
    there = {(hash & ~kMostCredit) | 1, entry};
}

void FoldTable::forget_frequent() { std::ranges::fill(frequent_, Frequent{}); }

FoldTable::Folded FoldTable::fold_frequent(CallContext& context, uint64_t hash, std::string_view key,
                                           std::string_view value) {
  if (frequent_.empty()) return Folded::kNo;
  Frequent& there = frequent_at(hash);
  if (((there.hash ^ hash) & ~kMostCredit) != 0 || there.entry == nullptr) return Folded::kNo;
  const Entry entry = read(there.entry);
  if (!pair::are_same(entry.key, key)) return Folded::kNo;
  there.hash += static_cast<uint64_t>((there.hash & kMostCredit) < kMostCredit);
  *entry.uses = static_cast<uint8_t>(*entry.uses + (*entry.uses < kMostUses));
  const bool folded = begin(context, value) && fold_into(context, entry.partial, begun_->bytes);
  return folded ? Folded::kYes : Folded::kFailed;
}

std::byte* FoldTable::find(uint64_t hash, std::string_view key, size_t& slot) {
  for (slot = slot_of(hash); slots_[slot] != 0; slot = next(slot)) {
    if (slots_[slot] >> kPlaceBits != tag_of(hash)) continue;
    const Entry entry = read(at(place_of(slots_[slot])));
    if (!pair::are_same(entry.key, key)) continue;
    *entry.uses = static_cast<uint8_t>(*entry.uses + (*entry.uses < kMostUses));
    if (*entry.uses >= kManyUses) offer_frequent(hash, entry.partial);
    return entry.partial;
  }
  return nullptr;
}

uint64_t FoldTable::allocate(size_t bytes) {
  const size_t usual = size_t{1} << chunk_shift_;
  const bool is_large = bytes > usual / 4;  // has a chunk of its own: little is lost at the ends of others
  while (!is_large && open_ < chunks_.size() && !has_room(chunks_[open_], chunks_[open_].used, bytes))
    ++open_;
  const size_t into = is_large ? chunks_.size() : open_;
  if (into == chunks_.size()) {
    Chunk& chunk = chunks_.emplace_back();
    chunk.capacity = is_large ? bytes : usual;
    chunk.block = LargeBlock(chunk.capacity);
    chunk_bytes_ += chunk.capacity;
    count_bytes();
  }
  const uint64_t place = (uint64_t{into} << chunk_shift_) + chunks_[into].used;
  chunks_[into].used += bytes;
  return place;
}

// An entry whose partial is not written yet.
std::byte* FoldTable::add(uint64_t hash, std::string_view key, size_t slot) {
  const uint64_t place = allocate(entry_bytes(key.size()));
  std::byte* const partial = at(place);
  auto* head = reinterpret_cast<uint8_t*>(partial + partial_bytes_);
  *head++ = 1;
  *head++ = static_cast<uint8_t>(std::min<size_t>(key.size(), kLongKey));
  if (key.size() >= kLongKey) {
    const auto length = static_cast<uint32_t>(key.size());
    std::memcpy(head, &length, sizeof length);
    head += sizeof length;
  }
  if (!key.empty()) std::memcpy(head, key.data(), key.size());
  slots_[slot] = tag_of(hash) << kPlaceBits | (place + 1);
  if (++size_ * 4 > slots_.size() * 3) {
    make_slots(slots_.size() * 3 / 2);
    fill_slots();
    count_bytes();
  }
  return partial;
}

template <class Body>
void FoldTable::each(Body&& body) const {
  for (size_t chunk = 0; chunk < chunks_.size(); ++chunk)
    for (size_t begin = 0; begin < chunks_[chunk].used;) {
      const Entry entry = read(chunks_[chunk].block.data() + begin);
      body(entry, (uint64_t{chunk} << chunk_shift_) + begin);
      begin += entry.bytes;
    }
}

// Slots are fetched for some entries before the first of them is filled.
void FoldTable::fill_slots() {
  constexpr size_t kAtOnce = 32;
  std::array<std::pair<uint64_t, uint64_t>, kAtOnce> waiting;  // hash, place
  size_t count = 0;
  const auto fill = [&] {
    for (size_t i = 0; i < count; ++i) {
      size_t slot = slot_of(waiting[i].first);
      while (slots_[slot] != 0) slot = next(slot);
      slots_[slot] = tag_of(waiting[i].first) << kPlaceBits | (waiting[i].second + 1);
    }
    count = 0;
  };
  each([&](const Entry& entry, uint64_t place) {
    const uint64_t hash = key_hash(entry.key);
    fetch_slot(hash);
    waiting[count++] = {hash, place};
    if (count == kAtOnce) fill();
  });
  fill();
}

bool FoldTable::fold_value(CallContext& context, uint64_t hash, std::string_view key,
                           std::string_view value) {
  return begin(context, value) && fold_partial(context, hash, key, begun_->bytes);
}

bool FoldTable::begin(CallContext& context, std::string_view value) {
  // A combiner may leave some of it as it is.
  if (partial_bytes_ == 8)
    std::memset(begun_->bytes, 0, 8);
  else
    std::memset(begun_->bytes, 0, partial_bytes_);
  return combiner_.begin(context, value, begun_->bytes);
}

bool FoldTable::fold_partial(CallContext& context, uint64_t hash, std::string_view key,
                             const std::byte* partial) {
  size_t slot;
  std::byte* const mine = find(hash, key, slot);
  if (mine == nullptr) {
    copy_partial(add(hash, key, slot), partial, partial_bytes_);
    return true;
  }
  if (reinterpret_cast<uintptr_t>(partial) % kAlign != 0) {
    copy_partial(begun_->bytes, partial, partial_bytes_);
    partial = begun_->bytes;
  }
  return fold_into(context, mine, partial);
}

bool FoldTable::fold_into(CallContext& context, std::byte* mine, const std::byte* partial) {
  if (align_ == kAlign) return combiner_.fold(context, mine, partial);
  copy_partial(total_->bytes, mine, partial_bytes_);
  if (!combiner_.fold(context, total_->bytes, partial)) return false;
  copy_partial(mine, total_->bytes, partial_bytes_);
  return true;
}

Status FoldTable::thin_out(const Taker& take) {
  forget_frequent();  // entries move
  std::array<uint64_t, kMostUses + 1> bytes_of{};
  each([&](const Entry& entry, uint64_t) { bytes_of[*entry.uses] += entry.bytes; });
  const uint64_t slot_bytes = slots_.size() * sizeof(Slot);
  const uint64_t most = bound_ / 2 - std::min(bound_ / 2, slot_bytes);
  int least = kMostUses + 1;  // uses of what stays
  for (uint64_t kept = 0; least > 0 && (kept += bytes_of[static_cast<size_t>(least) - 1]) <= most;) --least;
  // What stays moves to the front. It never overtakes what is read, as each chunk takes in order what fits.
  size_t to = 0, at_to = 0;
  for (size_t from = 0; from < chunks_.size(); ++from) {
    const size_t end = std::exchange(chunks_[from].used, 0);
    for (size_t begin = 0; begin < end;) {
      const Entry entry = read(chunks_[from].block.data() + begin);
      begin += entry.bytes;
      if (*entry.uses < least) {
        PLAIT_TRY(take(entry.key, entry.partial));
        --size_;
        continue;
      }
      *entry.uses /= 2;
      while (!has_room(chunks_[to], at_to, entry.bytes)) {
        chunks_[to].used = at_to;
        ++to;
        at_to = 0;
      }
      std::memmove(chunks_[to].block.data() + at_to, entry.partial, entry.bytes);
      at_to += entry.bytes;
    }
  }
  if (!chunks_.empty()) chunks_[to].used = at_to;
  // A large entry may have skipped some.
  std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.used == 0; });
  open_ = chunks_.empty() ? 0 : chunks_.size() - 1;
  chunk_bytes_ = 0;
  for (const Chunk& chunk : chunks_) chunk_bytes_ += chunk.capacity;
  std::ranges::fill(slots_, Slot{0});
  fill_slots();
  count_bytes();
  return {};
}

Status FoldTable::take_all(const Taker& take) {
  Status status;
  each([&](const Entry& entry, uint64_t) {
    if (status) status = take(entry.key, entry.partial);
  });
  clear();
  return status;
}

void FoldTable::sort(int ranks) {
  slots_ = {};
  slot_block_ = {};
  first_of_rank_.assign(static_cast<size_t>(ranks) + 1, 0);
  each([&](const Entry& entry, uint64_t) {
    ++first_of_rank_[static_cast<size_t>(rank_of(key_hash(entry.key), ranks)) + 1];
  });
  for (size_t r = 1; r < first_of_rank_.size(); ++r) first_of_rank_[r] += first_of_rank_[r - 1];
  order_.resize(size_);
  count_bytes();
  std::vector<size_t> next(first_of_rank_.begin(), first_of_rank_.end());
  each([&](const Entry& entry, uint64_t place) {
    const auto rank = static_cast<size_t>(rank_of(key_hash(entry.key), ranks));
    order_[next[rank]++] = {prefix_of(entry.key), place};
  });
  const auto key_of = [this](const Sorted& one) { return read(at(one.place)).key; };
  for (size_t r = 0; r + 1 < first_of_rank_.size(); ++r) {
    const auto begin = order_.begin() + static_cast<ptrdiff_t>(first_of_rank_[r]);
    const auto end = order_.begin() + static_cast<ptrdiff_t>(first_of_rank_[r + 1]);
    tbb::parallel_sort(begin, end, [&](const Sorted& a, const Sorted& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix : key_of(a) < key_of(b);
    });
  }
}

// Not inline: a compiler that sees no effect in it leaves it out.
void FoldTable::fetch_pair(size_t place) const {
  if (place < order_.size()) __builtin_prefetch(at(order_[place].place));
}

Pair FoldTable::pair(size_t place) const {
  const Entry entry = read(at(order_[place].place));
  return {entry.key, {reinterpret_cast<const char*>(entry.partial), partial_bytes_}};
}

}  // namespace plait::inline mapreduce
