#include "mapreduce/shuffle.h"

#include <algorithm>

namespace plait::inline mapreduce {
namespace {

constexpr size_t kLeastMessage = size_t{16} << 10, kMostMessage = size_t{4} << 20;
constexpr size_t kLeastReadBuffer = size_t{4} << 10, kMostReadBuffer = size_t{256} << 10;

// What comes from one rank, until it is read.
struct Arrived {
  std::vector<SpillSegment> segments;
  std::vector<Bytes> pieces;
};

// What goes to one rank: pairs as bytes, cut into messages wherever that falls.
class Departure {
 public:
  Departure(std::unique_ptr<PairStream> from, uint64_t& sent_bytes)
      : from_(std::move(from)), sent_bytes_(sent_bytes) {}

  // At most `most` bytes more.
  Status fill(size_t most, Bytes& message) {
    waiting_.reserve(most + kRoom);
    while (!ended_ && waiting_.size() < most) {
      Pair pair;
      if (!from_->next(pair)) {
        PLAIT_TRY(from_->status());
        ended_ = true;
        break;
      }
      append_pair(pair, waiting_);
    }
    message = std::move(waiting_);
    waiting_ = {};
    if (message.size() > most) {
      waiting_.assign(message.begin() + static_cast<ptrdiff_t>(most), message.end());
      message.resize(most);
    }
    sent_bytes_ += message.size();
    return {};
  }
  bool has_more() const { return !ended_ || !waiting_.empty(); }

 private:
  static constexpr size_t kRoom = 4096;  // for the end of a message's last pair, and for a byte more
  std::unique_ptr<PairStream> from_;
  uint64_t& sent_bytes_;
  Bytes waiting_;
  bool ended_ = false;
};

}  // namespace

Result<std::vector<std::unique_ptr<PairStream>>> exchange(Transport& transport,
                                                          std::vector<std::unique_ptr<PairStream>> to,
                                                          uint64_t memory_bytes, SpillFile& file,
                                                          uint64_t& sent_bytes, HeldBytes* held_bytes,
                                                          OwnPairs own) {
  const auto ranks = static_cast<size_t>(transport.size()), me = static_cast<size_t>(transport.rank());
  if (ranks == 1) return to;
  const size_t message_bytes = std::clamp<size_t>(memory_bytes / (8 * ranks), kLeastMessage, kMostMessage);
  std::vector<Departure> departures;
  uint64_t kept_bytes = 0;
  const auto stays = [&](size_t r) { return r == me && own == OwnPairs::kLater; };
  for (size_t r = 0; r < ranks; ++r)
    departures.emplace_back(stays(r) ? nullptr : std::move(to[r]), r == me ? kept_bytes : sent_bytes);
  std::vector<Arrived> arrived(ranks);
  uint64_t held = 0;
  HeldBytes::Part counted(held_bytes);
  for (bool anybody = true; anybody;) {
    std::vector<Bytes> messages(ranks);
    bool has_more = false;
    for (size_t r = 0; r < ranks; ++r) {
      if (stays(r)) continue;
      PLAIT_TRY(departures[r].fill(message_bytes, messages[r]));
      has_more = has_more || departures[r].has_more();
    }
    // The last byte of a message: its sender has more, for anybody.
    for (Bytes& message : messages) message.push_back(std::byte{has_more});
    Bytes kept;  // needs no way through the transport
    if (!stays(me)) kept.swap(messages[me]), messages[me] = {kept.back()};
    PLAIT_ASSIGN(std::vector<Bytes> came, transport.all_to_all(messages));
    if (!stays(me)) came[me] = std::move(kept);
    anybody = false;
    for (size_t r = 0; r < ranks; ++r) {
      anybody = anybody || came[r].back() != std::byte{0};
      came[r].pop_back();
      if (came[r].empty()) continue;
      held += came[r].capacity();
      arrived[r].pieces.push_back(std::move(came[r]));
    }
    // Messages out and in, and as much again that departures have at hand.
    counted.set(held + 3 * ranks * message_bytes);
    if (held <= memory_bytes) continue;
    for (Arrived& from : arrived) {
      for (const Bytes& piece : from.pieces) {
        PLAIT_ASSIGN(const SpillSegment segment, file.append(piece));
        from.segments.push_back(segment);
      }
      from.pieces.clear();
    }
    held = 0;
  }
  const size_t buffer = std::clamp<size_t>(memory_bytes / (2 * ranks), kLeastReadBuffer, kMostReadBuffer);
  counted.set(0);  // the streams count from now on
  std::vector<std::unique_ptr<PairStream>> streams;
  for (size_t r = 0; r < ranks; ++r) {
    if (stays(r)) {
      streams.push_back(std::move(to[r]));
    } else {
      streams.push_back(std::make_unique<StoredPairs>(&file, std::move(arrived[r].segments),
                                                      std::move(arrived[r].pieces), buffer, held_bytes));
    }
  }
  return streams;
}

}  // namespace plait::inline mapreduce
