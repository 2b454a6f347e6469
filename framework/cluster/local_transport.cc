#include "cluster/local_transport.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>

#include "base/shown.h"
#include "cluster/host_name.h"

namespace plait::inline cluster {
namespace {

// How long a rank sleeps in a meeting before it asks again whether it is to stop.
constexpr std::chrono::milliseconds kLook{5};

// Small, so that tests have several blocks. Units: elements
constexpr size_t kBlock = 1024;

// What one rank brings to a collective. Ranks that meet must bring the same `kind` and `root`, unless one of
// them abandons.
struct Offer {
  const char* kind = nullptr;
  int root = 0;
  Attempt attempt = {};
  std::span<const Reduction> parts = {};
  std::span<const BlockReduction> block_parts = {};
  std::span<std::byte> target = {};
  std::span<const std::byte> message = {};
  std::span<const Bytes> messages = {};  // all_to_all: one for each rank
  std::vector<Bytes>* gathered = nullptr;
  bool abandons = false;
};

// Where the ranks of one world meet: the last to arrive does the work for all.
class Meeting {
 public:
  explicit Meeting(int size)
      : offers_(static_cast<size_t>(size)), told_(std::make_unique<std::atomic<bool>[]>(offers_.size())) {}

  // `look` is called now and then while the rank waits.
  template <class Look>
  Status meet(int rank, Offer offer, const Look& look) {
    std::unique_lock lock(mutex_);
    if (!failure_) return failure_;
    offers_[static_cast<size_t>(rank)] = offer;
    if (++arrived_ == offers_.size()) {
      outcome_ = complete();
      if (outcome_.code() != Code::kStopped) failure_ = outcome_;
      next_meeting();
      return outcome_;
    }
    const uint64_t mine = meeting_;
    while (!changed_.wait_for(lock, kLook, [&] { return meeting_ != mine || !failure_; })) look();
    // A peer that met us and then left has not spoiled this meeting. The next one cannot end before we come
    // to it.
    return meeting_ != mine ? outcome_ : failure_;
  }

  void fail(const std::string& message) {
    std::lock_guard lock(mutex_);
    if (failure_) failure_ = {Code::kPeer, message};
    changed_.notify_all();
  }

  void tell_stop(int rank) { told_[static_cast<size_t>(rank)] = true; }
  bool is_told(int rank) const {
    for (size_t r = 0; r < offers_.size(); ++r)
      if (static_cast<int>(r) != rank && told_[r]) return true;
    return false;
  }

 private:
  void next_meeting() {
    arrived_ = 0;
    ++meeting_;
    changed_.notify_all();
  }

  Status complete();
  Status check_same() const;
  Status reduce_all();
  Status reduce_blocks();
  void reduce_block(size_t part, size_t first, size_t count);
  Status broadcast();
  void gather();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Offer> offers_;
  const std::unique_ptr<std::atomic<bool>[]> told_;  // by rank: it has told the others to stop
  size_t arrived_ = 0;
  uint64_t meeting_ = 0;
  Status outcome_;  // of the last meeting
  Status failure_;  // of the world
};

Status Meeting::complete() {
  if (std::ranges::any_of(offers_, &Offer::abandons)) return {Code::kStopped, "a rank was asked to stop"};
  PLAIT_TRY(check_same());
  PLAIT_TRY(reduce_all());
  PLAIT_TRY(reduce_blocks());
  PLAIT_TRY(broadcast());
  gather();
  return {};
}

Status Meeting::check_same() const {
  const Offer& first = offers_.front();
  for (size_t rank = 1; rank < offers_.size(); ++rank) {
    const Offer& offer = offers_[rank];
    const std::string who = "rank " + std::to_string(rank);
    if (std::strcmp(offer.kind, first.kind) != 0 || offer.root != first.root)
      return {Code::kPeer, who + " is in " + offer.kind + ", rank 0 is in " + first.kind};
    if (offer.attempt != first.attempt)
      return {Code::kPeer, who + " is at another round or attempt than rank 0"};
    if (offer.parts.size() != first.parts.size() || offer.block_parts.size() != first.block_parts.size())
      return {Code::kPeer, who + " reduces other arrays than rank 0"};
  }
  return {};
}

// Sums wrap like the integers of a network, instead of being undefined.
template <class T>
T combine(Reduction::Op op, T a, T b) {
  if (op == Reduction::Op::kMax) return std::max(a, b);
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
  return a;
}

template <class T>
Status combine_into(std::span<T> into, const Reduction& from) {
  const auto* values = std::get_if<std::span<T>>(&from.values());
  if (values == nullptr || values->size() != into.size())
    return {Code::kPeer, "two ranks reduce arrays of different kind or length"};
  for (size_t i = 0; i < into.size(); ++i) into[i] = combine(from.op(), into[i], (*values)[i]);
  return {};
}

template <class T>
void copy_to(const Reduction& to, std::span<T> values) {
  std::copy(values.begin(), values.end(), std::get<std::span<T>>(to.values()).begin());
}

Status Meeting::reduce_all() {
  for (size_t part = 0; part < offers_.front().parts.size(); ++part) {
    const auto combine_part = [&](auto into) -> Status {
      for (size_t rank = 1; rank < offers_.size(); ++rank)
        PLAIT_TRY(combine_into(into, offers_[rank].parts[part]));
      for (size_t rank = 1; rank < offers_.size(); ++rank) copy_to(offers_[rank].parts[part], into);
      return {};
    };
    PLAIT_TRY(std::visit(combine_part, offers_.front().parts[part].values()));
  }
  return {};
}

Status Meeting::reduce_blocks() {
  const std::span<const BlockReduction> parts = offers_.front().block_parts;
  for (size_t part = 0; part < parts.size(); ++part) {
    for (const Offer& offer : offers_) {
      const BlockReduction& other = offer.block_parts[part];
      if (other.elements != parts[part].elements ||
          !std::ranges::equal(other.columns, parts[part].columns, {}, &BlockReduction::Column::width,
                              &BlockReduction::Column::width))
        return {Code::kPeer, "two ranks reduce arrays of different kind or length"};
    }
    for (size_t at = 0; at < parts[part].elements; at += kBlock)
      reduce_block(part, at, std::min(kBlock, parts[part].elements - at));
  }
  return {};
}

// At rank 0, in whose columns the others' are added.
void Meeting::reduce_block(size_t part, size_t first, size_t count) {
  const BlockReduction& own = offers_.front().block_parts[part];
  const std::span<const Offer> others = std::span(offers_).subspan(1);
  for (const Offer& offer : others) {
    std::vector<Bytes> block;
    std::vector<const std::byte*> pointers;
    for (const BlockReduction::Column& column : offer.block_parts[part].columns) {
      const std::byte* const begin = column.values + first * column.width;
      pointers.push_back(block.emplace_back(begin, begin + count * column.width).data());
    }
    own.add(first, count, pointers);
  }
  own.finish(first, count);
  for (const Offer& offer : others) {
    const size_t width = own.columns.front().width;
    std::copy_n(own.columns.front().values + first * width, count * width,
                offer.block_parts[part].columns.front().values + first * width);
  }
}

Status Meeting::broadcast() {
  const std::span<std::byte> source = offers_[static_cast<size_t>(offers_.front().root)].target;
  for (const Offer& offer : offers_) {
    if (offer.target.size() != source.size()) return {Code::kPeer, "two ranks broadcast different lengths"};
    if (offer.target.data() != source.data()) std::copy(source.begin(), source.end(), offer.target.begin());
  }
  return {};
}

void Meeting::gather() {
  for (size_t rank = 0; rank < offers_.size(); ++rank) {
    if (offers_[rank].gathered == nullptr) continue;
    for (const Offer& offer : offers_) {
      const std::span<const std::byte> message =
          offer.messages.empty() ? offer.message : std::span<const std::byte>(offer.messages[rank]);
      offers_[rank].gathered->emplace_back(message.begin(), message.end());
    }
  }
}

class ThreadRank final : public LocalTransport {
 public:
  ThreadRank(int rank, int size, std::shared_ptr<Meeting> meeting)
      : LocalTransport(rank, size, this_host_name()), meeting_(std::move(meeting)) {}
  ~ThreadRank() override { drop(); }

  void drop() override { meeting_->fail(place() + " is gone"); }

  Status all_reduce(std::span<const Reduction> parts) override {
    return meet({.kind = "all_reduce", .parts = parts});
  }
  Status reduce_blocks(std::span<const BlockReduction> parts) override {
    return meet({.kind = "reduce_blocks", .block_parts = parts});
  }
  Status broadcast(std::span<std::byte> bytes, int root) override {
    return meet({.kind = "broadcast", .root = root, .target = bytes});
  }
  Result<std::vector<Bytes>> gather(std::span<const std::byte> bytes, int root) override {
    std::vector<Bytes> gathered;
    PLAIT_TRY(meet({.kind = "gather",
                    .root = root,
                    .message = bytes,
                    .gathered = rank() == root ? &gathered : nullptr}));
    return gathered;
  }
  Result<std::vector<Bytes>> all_gather(std::span<const std::byte> bytes) override {
    std::vector<Bytes> gathered;
    PLAIT_TRY(meet({.kind = "all_gather", .message = bytes, .gathered = &gathered}));
    return gathered;
  }
  Result<std::vector<Bytes>> all_to_all(std::span<const Bytes> to) override {
    std::vector<Bytes> gathered;
    PLAIT_TRY(meet({.kind = "all_to_all", .messages = to, .gathered = &gathered}));
    return gathered;
  }
  Status barrier() override { return meet({.kind = "barrier"}); }

  void tell_stop() override { meeting_->tell_stop(rank()); }
  bool is_told_to_stop() override { return meeting_->is_told(rank()); }
  Status abandon() override { return meet({.kind = "abandon", .abandons = true}); }

  void abort(const Status& status, int) override {
    if (size() == 1) std::fputs(("plait: " + shown_message(status.message()) + "\n").c_str(), stderr);
    meeting_->fail(place() + ": " + status.message());
  }

 private:
  Status meet(Offer offer) {
    offer.attempt = attempt();
    return noted(meeting_->meet(rank(), offer, [this] {
      if (wants_stop()) tell_stop();
    }));
  }

  std::shared_ptr<Meeting> meeting_;
};

}  // namespace

std::unique_ptr<Transport> single() { return std::move(make_local_world(1).front()); }

std::vector<std::unique_ptr<LocalTransport>> make_local_world(int size) {
  const auto meeting = std::make_shared<Meeting>(size);
  std::vector<std::unique_ptr<LocalTransport>> world;
  for (int rank = 0; rank < size; ++rank) world.push_back(std::make_unique<ThreadRank>(rank, size, meeting));
  return world;
}

}  // namespace plait::inline cluster
