#include "mapreduce/row_store.h"

#include <algorithm>
#include <cstring>

namespace plait::inline mapreduce {
namespace {

constexpr uint64_t kMessage_bytes = uint64_t{16} << 20;  // from a rank at once

void append_number(Bytes& to, int64_t value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof value);
}

int64_t number_at(const Bytes& bytes, size_t at) {
  int64_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

// Gives the rows of all splits, one after the other, some bytes at a time.
class RowStore::Sender {
 public:
  explicit Sender(const RowStore& store) : store_(store), at_(store.by_split_.begin()) {}

  Status next(uint64_t most, Bytes& into) {
    into.clear();
    while (into.size() < most && at_ != store_.by_split_.end()) {
      const Rows& rows = at_->second;
      const uint64_t count = std::min(most - into.size(), rows.size() - done_);
      const size_t begin = into.size();
      into.resize(begin + count);
      PLAIT_TRY(store_.read(rows, done_, std::span(into).subspan(begin)));
      done_ += count;
      if (done_ == rows.size()) ++at_, done_ = 0;
    }
    return {};
  }

 private:
  const RowStore& store_;
  std::map<int64_t, Rows>::const_iterator at_;
  uint64_t done_ = 0;  // of the split under way
};

// Puts what a sender gives where it belongs.
class RowStore::Receiver {
 public:
  Receiver(SpillFile& file, const std::vector<Place>& places) : file_(file), places_(places) {}

  Status take(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      if (at_ == places_.size()) return {Code::kPeer, "a rank sent more rows than it had announced"};
      const Place& place = places_[at_];
      const uint64_t count = std::min<uint64_t>(bytes.size(), place.bytes - done_);
      PLAIT_TRY(file_.write(place.offset + done_, bytes.first(count)));
      bytes = bytes.subspan(count);
      done_ += count;
      if (done_ == place.bytes) ++at_, done_ = 0;
    }
    return {};
  }
  bool is_complete() const { return at_ == places_.size(); }

 private:
  SpillFile& file_;
  const std::vector<Place>& places_;
  size_t at_ = 0;
  uint64_t done_ = 0;
};

void RowStore::begin() {
  joined_map_ = {};
  by_split_.clear();
  joined_ = {};
  file_.reset();
  joined_file_.reset();
  spilled_ = 0;
}

Status RowStore::keep(int64_t split, Bytes rows, bool in_memory) {
  if (rows.empty()) return {};
  if (in_memory) {
    by_split_[split].held = std::move(rows);
    return {};
  }
  if (!file_) file_ = std::make_unique<SpillFile>();
  PLAIT_ASSIGN(by_split_[split].kept, file_->append(rows));
  spilled_ += rows.size();
  return {};
}

uint64_t RowStore::bytes() const {
  uint64_t sum = 0;
  for (const auto& [split, rows] : by_split_) sum += rows.size();
  return sum;
}

Status RowStore::read(const Rows& rows, uint64_t first, std::span<std::byte> into) const {
  if (rows.held.empty()) return file_->read(rows.kept.offset + first, into);
  std::memcpy(into.data(), rows.held.data() + first, into.size());
  return {};
}

Status RowStore::join(Transport& transport, bool in_memory, uint64_t& sent_bytes) {
  PLAIT_TRY(in_memory ? join_in_memory(transport, sent_bytes) : join_in_file(transport, sent_bytes));
  by_split_.clear();
  file_.reset();
  return {};
}

// Each rank's rows come to rank 0 as a stream of (split, bytes, the bytes), cut into messages.
Status RowStore::join_in_memory(Transport& transport, uint64_t& sent_bytes) {
  std::map<int64_t, Bytes> all;
  Bytes stream;
  for (auto& [split, rows] : by_split_) {
    if (transport.is_root()) {
      all[split] = std::move(rows.held);
      continue;
    }
    append_number(stream, split);
    append_number(stream, static_cast<int64_t>(rows.held.size()));
    stream.insert(stream.end(), rows.held.begin(), rows.held.end());
  }
  by_split_.clear();
  sent_bytes += stream.size();
  auto longest = static_cast<int64_t>(stream.size());
  PLAIT_TRY(transport.all_reduce_max(std::span(&longest, 1)));
  std::vector<Bytes> streams(static_cast<size_t>(transport.size()));
  for (size_t at = 0; at < static_cast<size_t>(longest); at += kMessage_bytes) {
    const size_t begin = std::min(at, stream.size()), end = std::min(at + kMessage_bytes, stream.size());
    PLAIT_ASSIGN(const auto came, transport.gather(std::span(stream).subspan(begin, end - begin), 0));
    for (size_t rank = 0; rank < came.size(); ++rank)
      streams[rank].insert(streams[rank].end(), came[rank].begin(), came[rank].end());
  }
  if (!transport.is_root()) return {};
  for (Bytes& from : streams) {
    for (size_t at = 0; at < from.size();) {
      const int64_t split = number_at(from, at);
      const auto bytes = static_cast<ptrdiff_t>(number_at(from, at + 8));
      const auto begin = from.begin() + static_cast<ptrdiff_t>(at + 16);
      all[split].assign(begin, begin + bytes);
      at += 16 + static_cast<size_t>(bytes);
    }
    from = {};
  }
  size_t all_bytes = 0;
  for (const auto& [split, bytes] : all) all_bytes += bytes.size();
  joined_.reserve(all_bytes);
  for (const auto& [split, bytes] : all) joined_.insert(joined_.end(), bytes.begin(), bytes.end());
  return {};
}

// By rank; on rank 0 alone.
Result<std::vector<std::vector<RowStore::Place>>> RowStore::share_places(Transport& transport,
                                                                         uint64_t& sent_bytes) const {
  Bytes table;
  for (const auto& [split, rows] : by_split_) {
    append_number(table, split);
    append_number(table, static_cast<int64_t>(rows.size()));
  }
  if (!transport.is_root()) sent_bytes += table.size();
  PLAIT_ASSIGN(const auto tables, transport.gather(table, 0));
  std::vector<std::vector<Place>> places(tables.size());
  std::vector<Place*> all;
  for (size_t rank = 0; rank < tables.size(); ++rank) {
    for (size_t at = 0; at < tables[rank].size(); at += 16)
      places[rank].push_back(
          {number_at(tables[rank], at), static_cast<uint64_t>(number_at(tables[rank], at + 8)), 0});
    for (Place& place : places[rank]) all.push_back(&place);
  }
  std::ranges::sort(all, {}, &Place::split);
  uint64_t offset = 0;
  for (Place* place : all) place->offset = std::exchange(offset, offset + place->bytes);
  return places;
}

Status RowStore::join_in_file(Transport& transport, uint64_t& sent_bytes) {
  PLAIT_ASSIGN(const auto places, share_places(transport, sent_bytes));
  auto longest = static_cast<int64_t>(bytes());
  PLAIT_TRY(transport.all_reduce_max(std::span(&longest, 1)));
  std::vector<Receiver> receivers;
  if (transport.is_root()) joined_file_ = std::make_unique<SpillFile>();
  for (const std::vector<Place>& of_rank : places) receivers.emplace_back(*joined_file_, of_rank);
  Sender sender(*this);
  Bytes piece;
  uint64_t all = 0;
  for (uint64_t at = 0; at < static_cast<uint64_t>(longest); at += kMessage_bytes) {
    PLAIT_TRY(sender.next(kMessage_bytes, piece));
    if (!transport.is_root()) sent_bytes += piece.size();
    PLAIT_ASSIGN(const auto came, transport.gather(piece, 0));
    for (size_t rank = 0; rank < came.size(); ++rank) {
      PLAIT_TRY(receivers[rank].take(came[rank]));
      all += came[rank].size();
    }
  }
  if (!transport.is_root()) return {};
  for (const Receiver& receiver : receivers)
    if (!receiver.is_complete()) return {Code::kPeer, "a rank sent fewer rows than it had announced"};
  spilled_ += all;
  PLAIT_ASSIGN(joined_map_, joined_file_->map(all));
  return {};
}

std::string_view RowStore::joined() const {
  if (joined_file_) return joined_map_.view();
  return {reinterpret_cast<const char*>(joined_.data()), joined_.size()};
}

}  // namespace plait::inline mapreduce
