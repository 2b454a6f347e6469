#include "mapreduce/fold_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

namespace plait::inline mapreduce {
namespace {

constexpr size_t kLeastChunk = size_t{4} << 10, kMostChunk = size_t{4} << 20, kFirstSlots = 1024;
// From which bound on there are cells: a smaller table is in the processor's caches, and denser without.
constexpr uint64_t kLeastBound = uint64_t{16} << 20;
// Of cells two of three are filled at most, and a larger table is half as large again.
constexpr size_t kFirstCells = 256, kCellsOfTwo = 3, kGrowth = 2;
// Larger partials are folded where they are, and are aligned.
constexpr size_t kMostCopied = 64;
// A length below it is one byte.
constexpr uint8_t kLongKey = 255;
// Uses from which on a key is offered a place of those that come often; how many places there are, and how
// small a part of the bound they are.
constexpr uint8_t kManyUses = 64;
constexpr size_t kMostFrequent = 8192, kFrequentShare = 32;

size_t rounded(size_t bytes, size_t align) { return (bytes + align - 1) / align * align; }

size_t chunk_of(uint64_t bound_bytes) {
  return std::bit_floor(std::clamp<size_t>(bound_bytes / 32, kLeastChunk, kMostChunk));
}

uint64_t tag_of(uint64_t hash) { return hash >> 40; }

}  // namespace

FoldTable::FoldTable(const Combiner& combiner, uint64_t bound_bytes, HeldBytes* held)
    : combiner_(combiner),
      partial_bytes_(combiner.bytes()),
      align_(partial_bytes_ < kMostCopied ? 1 : kAlign),
      bound_(bound_bytes),
      chunk_shift_(std::countr_zero(chunk_of(bound_bytes))),
      begun_(std::make_unique<Partial>()),
      other_(std::make_unique<Partial>()),
      total_(std::make_unique<Partial>()),
      held_(held) {
  const uint64_t places = bound_ / kFrequentShare / sizeof(Frequent);
  if (has_cells()) frequent_.resize(std::bit_floor(std::min<uint64_t>(places, kMostFrequent)));
  clear();
}

bool FoldTable::has_cells() const { return partial_bytes_ == sizeof(Cell::partial) && bound_ >= kLeastBound; }

void FoldTable::clear() {
  std::ranges::fill(frequent_, Frequent{});
  chunks_.clear();
  chunk_bytes_ = 0;
  open_ = 0;
  size_ = 0;
  order_ = {};
  order_block_ = {};
  order_room_ = 0;
  first_of_rank_.clear();
  make_slots(kFirstSlots);
  order_of_cells_ = order_of_cells_ * pair::kFirst | 1;
  if (has_cells()) make_cells(kFirstCells);
  count_bytes();
}

void FoldTable::make_slots(size_t count) {
  slots_ = {};
  slot_block_ = {};  // before the next one: the old one is not read again
  slot_block_ = LargeBlock(count * sizeof(Slot));
  slots_ = {reinterpret_cast<Slot*>(slot_block_.data()), count};
  std::uninitialized_value_construct(slots_.begin(), slots_.end());
}

void FoldTable::make_cells(size_t count) {
  cells_ = {};
  cell_block_ = {};
  cell_block_ = ZeroedBlock(count * sizeof(Cell));
  cells_ = {reinterpret_cast<Cell*>(cell_block_.data()), count};
  size_in_cells_ = 0;
  has_full_cells_ = false;
}

// Begins behind an empty cell: then each cell is met behind all that its key is searched in, and finds its
// new place among those that were met.
template <class Stays>
void FoldTable::thin_out_cells(Stays&& stays) {
  has_full_cells_ = false;
  if (cells_.empty()) return;
  size_t at = 0;
  while (cells_[at].head != 0) ++at;
  for (size_t left = cells_.size(); left > 0; --left, at = next_cell(at)) {
    if (cells_[at].head == 0) continue;
    Cell cell = std::exchange(cells_[at], Cell{});
    if (stays(cell)) {
      cells_[empty_cell(key_hash(cell.key()))] = cell;
    } else {
      --size_;
      --size_in_cells_;
    }
  }
}

template <class Stays>
void FoldTable::move_cells(size_t count, Stays&& stays) {
  send_all_home();
  ZeroedBlock block = std::move(cell_block_);
  const std::span<Cell> before = cells_;
  size_ -= size_in_cells_;
  make_cells(count);
  for (Cell& cell : before) {
    if (cell.head == 0 || !stays(cell)) continue;
    cells_[empty_cell(key_hash(cell.key()))] = cell;
    ++size_in_cells_;
    block.give_back(static_cast<size_t>(&cell - before.data()) * sizeof(Cell));
  }
  size_ += size_in_cells_;
  count_bytes();
}

inline size_t FoldTable::entry_bytes(size_t key_bytes) const {
  const size_t length = key_bytes < kLongKey ? 1 : 1 + sizeof(uint32_t);
  return rounded(partial_bytes_ + 1 + length + key_bytes, align_);
}

[[gnu::always_inline]] inline FoldTable::Entry FoldTable::read(std::byte* entry) const {
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

void FoldTable::fetch_entry(uint64_t hash, size_t key_bytes) const {
  if (is_for_cells(key_bytes)) return;
  size_t slot = slot_of(hash);
  while (slots_[slot] != 0 && slots_[slot] >> kPlaceBits != tag_of(hash)) slot = next(slot);
  if (slots_[slot] != 0) __builtin_prefetch(at(place_of(slots_[slot])));
}

// Takes the place of a key that came no more often than others of that place.
std::byte* FoldTable::offer_frequent(uint64_t hash, Cell& cell) {
  if (frequent_.empty()) return cell.entry();
  Frequent& there = frequent_at(hash);
  if (there.home != nullptr && (there.cell.head & Cell::kUses) > 0) {
    --there.cell.head;
    return cell.entry();
  }
  send_home(there);
  there = {cell, &cell};
  there.cell.head = (cell.head & ~Cell::kUses) | 1;
  return there.cell.entry();
}

void FoldTable::send_home(Frequent& one) {
  if (one.home == nullptr) return;
  one.home->partial = one.cell.partial;
  const uint64_t uses = (one.home->head & Cell::kUses) + (one.cell.head & Cell::kUses);
  one.home->head = (one.home->head & ~Cell::kUses) | std::min<uint64_t>(uses, kMostUses);
  one.home = nullptr;
}

void FoldTable::send_all_home() {
  for (Frequent& one : frequent_) send_home(one);
}

std::byte* FoldTable::find_in_cells(uint64_t hash, std::string_view key, size_t& slot) {
  const Cell wanted = Cell::of(ShortKey::of(key));
  if (!frequent_.empty()) {
    Frequent& there = frequent_at(hash);
    if (there.home != nullptr && there.cell.has_key_of(wanted)) return there.cell.entry();
  }
  for (slot = cell_of(hash); cells_[slot].head != 0; slot = next_cell(slot)) {
    Cell& cell = cells_[slot];
    if (!cell.has_key_of(wanted)) continue;
    cell.head += static_cast<uint64_t>((cell.head & Cell::kUses) < kMostUses);
    return (cell.head & Cell::kUses) < kManyUses ? cell.entry() : offer_frequent(hash, cell);
  }
  return nullptr;
}

std::byte* FoldTable::add_to_cells(uint64_t hash, std::string_view key, size_t slot) {
  const size_t more = size_in_cells_ + 1, larger = cells_.size() + cells_.size() / kGrowth;
  if (more * kCellsOfTwo > cells_.size() * 2) {
    // Some follow that wait already; beyond, there must be room.
    const bool has_room = more * 8 < cells_.size() * 7;
    if (has_room && bytes_with(larger) > bound_) {
      has_full_cells_ = true;
    } else {
      move_cells(larger, [](const Cell&) { return true; });
      slot = empty_cell(hash);
    }
  }
  cells_[slot] = Cell::of(ShortKey::of(key));
  cells_[slot].head += 1;
  ++size_in_cells_;
  ++size_;
  return cells_[slot].entry();
}

std::byte* FoldTable::find(uint64_t hash, std::string_view key, size_t& slot) {
  if (is_for_cells(key.size())) return find_in_cells(hash, key, slot);
  for (slot = slot_of(hash); slots_[slot] != 0; slot = next(slot)) {
    if (slots_[slot] >> kPlaceBits != tag_of(hash)) continue;
    const Entry entry = read(at(place_of(slots_[slot])));
    if (!pair::are_same(entry.key, key)) continue;
    *entry.uses = static_cast<uint8_t>(*entry.uses + (*entry.uses < kMostUses));
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
  if (is_for_cells(key.size())) return add_to_cells(hash, key, slot);
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
  ++size_;
  if ((size_ - size_in_cells_) * 4 > slots_.size() * 3) {
    make_slots(slots_.size() * 3 / 2);
    fill_slots();
    count_bytes();
  }
  return partial;
}

template <class Body>
void FoldTable::each_in_chunks(Body&& body) const {
  for (size_t chunk = 0; chunk < chunks_.size(); ++chunk)
    for (size_t begin = 0; begin < chunks_[chunk].used;) {
      const Entry entry = read(chunks_[chunk].block.data() + begin);
      body(entry, (uint64_t{chunk} << chunk_shift_) + begin);
      begin += entry.bytes;
    }
}

template <class Body>
void FoldTable::each(Body&& body) const {
  each_in_chunks(body);
  for (size_t i = 0; i < cells_.size(); ++i)
    if (cells_[i].head != 0) body(read(cells_[i].entry()), i | kInCells);
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
  each_in_chunks([&](const Entry& entry, uint64_t place) {
    const uint64_t hash = key_hash(entry.key);
    __builtin_prefetch(&slots_[slot_of(hash)]);
    waiting[count++] = {hash, place};
    if (count == kAtOnce) fill();
  });
  fill();
}

// With all that it calls here in it.
[[gnu::flatten]] bool FoldTable::fold_value(CallContext& context, uint64_t hash, std::string_view key,
                                            std::string_view value) {
  return begin(context, value) && fold_partial(context, hash, key, begun_->bytes);
}

bool FoldTable::fold_partial(CallContext& context, uint64_t hash, std::string_view key,
                             const std::byte* partial) {
  size_t slot;
  std::byte* const mine = find(hash, key, slot);
  if (mine == nullptr) {
    copy_partial(add(hash, key, slot), partial);
    return true;
  }
  if (reinterpret_cast<uintptr_t>(partial) % kAlign != 0) {
    copy_partial(other_->bytes, partial);
    partial = other_->bytes;
  }
  return fold_into(context, mine, partial);
}

Status FoldTable::thin_out(const Taker& take) {
  send_all_home();
  std::array<uint64_t, kMostUses + 1> bytes_of{}, cells_of{};
  each_in_chunks([&](const Entry& entry, uint64_t) { bytes_of[*entry.uses] += entry.bytes; });
  for (const Cell& cell : cells_) cells_of[cell.head & Cell::kUses] += static_cast<uint64_t>(cell.head != 0);
  // Where only cells are full, half of them stay where they are; else all that stays has room for some more.
  const bool in_place = bytes() <= bound_;
  const uint64_t slot_bytes = slots_.size() * sizeof(Slot);
  const uint64_t most =
      in_place ? cells_.size() / kCellsOfTwo : bound_ / 2 - std::min(bound_ / 2, slot_bytes);
  const auto cells_for = [](size_t entries) { return entries * 15 / 8; };
  const auto weight = [&](size_t uses) {
    return in_place ? cells_of[uses] : bytes_of[uses] + cells_for(cells_of[uses]) * sizeof(Cell);
  };
  int least = kMostUses + 1;  // uses of what stays
  for (uint64_t kept = 0; least > 0 && (kept += weight(static_cast<size_t>(least) - 1)) <= most;) --least;
  size_t stay = 0;
  for (int uses = least; uses <= kMostUses; ++uses) stay += cells_of[static_cast<size_t>(uses)];
  Status taken;
  const auto stays = [&](Cell& cell) {
    const Entry entry = read(cell.entry());
    const bool is_used = *entry.uses >= least;
    if (!is_used && taken) taken = take(entry.key, entry.partial);
    *entry.uses = std::max<uint8_t>(1, *entry.uses / 2);
    return is_used;
  };
  if (in_place)
    thin_out_cells(stays);
  else if (!cells_.empty())
    move_cells(std::max<size_t>(kFirstCells, cells_for(stay)), stays);
  PLAIT_TRY(taken);
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
  send_all_home();
  Status status;
  each([&](const Entry& entry, uint64_t) {
    if (status) status = take(entry.key, entry.partial);
  });
  clear();
  return status;
}

void FoldTable::sort(int ranks) {
  send_all_home();
  slots_ = {};
  slot_block_ = {};
  // Which rank, until keys are in its part: 23 bits of the place.
  const auto with_rank = [ranks](uint64_t hash, uint64_t place) {
    return place | static_cast<uint64_t>(rank_of(hash, ranks)) << kPlaceBits;
  };
  const auto rank_in = [](const KeyPlace& key) { return (key.place & ~kInCells) >> kPlaceBits; };
  order_room_ = size_ + 1;  // an empty cell is written too
  order_block_ = LargeBlock(order_room_ * sizeof(KeyPlace));
  const auto order = reinterpret_cast<KeyPlace*>(order_block_.data());
  count_bytes();
  size_t count = 0;
  each_in_chunks([&](const Entry& entry, uint64_t place) {
    order[count++] = {prefix_of(entry.key), with_rank(key_hash(entry.key), place)};
  });
  for (size_t i = 0; i < cells_.size(); ++i) {
    const ShortKey key = cells_[i].key();
    order[count] = {__builtin_bswap64(key.low), with_rank(key_hash(key), i | kInCells)};
    count += static_cast<size_t>(cells_[i].head != 0);
  }
  order_ = {order, count};
  first_of_rank_.assign(static_cast<size_t>(ranks) + 1, 0);
  for (const KeyPlace& key : order_) ++first_of_rank_[rank_in(key) + 1];
  for (size_t r = 1; r < first_of_rank_.size(); ++r) first_of_rank_[r] += first_of_rank_[r - 1];
  std::vector<size_t> next(first_of_rank_.begin(), first_of_rank_.end() - 1);
  for (size_t r = 0; r < next.size(); ++r)
    while (next[r] < first_of_rank_[r + 1]) {
      KeyPlace key = order_[next[r]];
      for (size_t of = rank_in(key); of != r; of = rank_in(key)) std::swap(key, order_[next[of]++]);
      order_[next[r]++] = key;
    }
  constexpr uint64_t kNoRank = kInCells | ((uint64_t{1} << kPlaceBits) - 1);
  for (KeyPlace& key : order_) key.place &= kNoRank;
  const auto key_of = [this](const KeyPlace& one) { return read(at(one.place)).key; };
  for (size_t r = 0; r + 1 < first_of_rank_.size(); ++r) {
    const auto keys = order_.subspan(first_of_rank_[r], first_of_rank_[r + 1] - first_of_rank_[r]);
    sort_by_prefix(keys, [&](const KeyPlace& a, const KeyPlace& b) { return key_of(a) < key_of(b); });
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
