#include "mapreduce/pair_stream.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace plait::inline mapreduce {
namespace {

// The place follows where it is not 0, 0.
struct Head {
  uint32_t key_bytes : 31;
  uint32_t has_place : 1;
  uint32_t value_bytes;
};
struct Place {
  int64_t split, place;
};
constexpr size_t kHead = sizeof(Head);
static_assert(kHead == 8);

bool has_place(const Pair& pair) { return (pair.split | pair.place) != 0; }

}  // namespace

size_t pair_bytes(const Pair& pair) {
  return kHead + (has_place(pair) ? sizeof(Place) : 0) + pair.key.size() + pair.value.size();
}

void append_pair(const Pair& pair, Bytes& to) {
  const Head head{static_cast<uint32_t>(pair.key.size()), has_place(pair),
                  static_cast<uint32_t>(pair.value.size())};
  const Place place{pair.split, pair.place};
  const size_t at = to.size();
  to.resize(at + pair_bytes(pair));
  std::byte* into = to.data() + at;
  const auto put = [&into](const void* from, size_t bytes) {
    if (bytes > 0) std::memcpy(into, from, bytes);
    into += bytes;
  };
  put(&head, kHead);
  if (has_place(pair)) put(&place, sizeof place);
  put(pair.value.data(), pair.value.size());
  put(pair.key.data(), pair.key.size());
}

StoredPairs::StoredPairs(const SpillFile* file, std::vector<SpillSegment> segments, std::vector<Bytes> pieces,
                         size_t buffer_bytes, HeldBytes* held)
    : file_(file),
      segments_(std::move(segments)),
      pieces_(std::move(pieces)),
      buffer_bytes_(buffer_bytes),
      held_(held) {
  for (const Bytes& piece : pieces_) pieces_bytes_ += piece.capacity();
  held_.set(pieces_bytes_);
}

bool StoredPairs::read_until(size_t bytes) {
  while (buffer_.size() - at_ < bytes) {
    const bool has_segment = segment_ < segments_.size();
    if (!has_segment && piece_ == pieces_.size()) return false;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(at_));
    at_ = 0;
    if (!has_segment) {
      Bytes piece = std::move(pieces_[piece_++]);
      pieces_bytes_ -= piece.capacity();
      // The beginning of a pair.
      piece.reserve(piece.size() + buffer_.size());
      piece.insert(piece.begin(), buffer_.begin(), buffer_.end());
      buffer_ = std::move(piece);
      held_.set(buffer_.capacity() + pieces_bytes_);
      continue;
    }
    SpillSegment& segment = segments_[segment_];
    const size_t more = std::min<uint64_t>(segment.bytes, std::max(buffer_bytes_, bytes));
    const size_t before = buffer_.size();
    buffer_.resize(before + more);
    held_.set(buffer_.capacity() + pieces_bytes_);
    if (const Status read = file_->read(segment.offset, std::span(buffer_).subspan(before)); !read)
      return fail(read);
    segment.offset += more;
    segment.bytes -= more;
    if (segment.bytes == 0) ++segment_;
  }
  return true;
}

bool StoredPairs::next(Pair& pair) {
  if (!want(kHead)) return false;
  Head head;
  std::memcpy(&head, buffer_.data() + at_, kHead);
  const size_t before = kHead + (head.has_place ? sizeof(Place) : 0);
  const size_t bytes = before + head.value_bytes + head.key_bytes;
  if (!want(bytes)) return false;
  Place place{0, 0};
  if (head.has_place) std::memcpy(&place, buffer_.data() + at_ + kHead, sizeof place);
  const char* const value = reinterpret_cast<const char*>(buffer_.data() + at_ + before);
  pair = {{value + head.value_bytes, head.key_bytes}, {value, head.value_bytes}, place.split, place.place};
  at_ += bytes;
  return true;
}

namespace {

// A tournament of the streams by their next pairs: where one of them moves on, those that it meets on its way
// to the top are compared again.
class Merged final : public PairStream {
 public:
  explicit Merged(std::vector<std::unique_ptr<PairStream>> streams)
      : streams_(std::move(streams)), next_(streams_.size()), losers_(streams_.size()) {}

  bool next(Pair& pair) override {
    if (!is_begun_) {
      is_begun_ = true;
      for (size_t i = 0; i < streams_.size(); ++i)
        if (!move_on(i)) return false;
      winner_ = streams_.empty() ? 0 : play(1);
    } else if (!is_over(winner_)) {
      if (!move_on(winner_)) return false;
      for (size_t match = (winner_ + streams_.size()) / 2; match > 0; match /= 2)
        if (is_before(losers_[match], winner_)) std::swap(losers_[match], winner_);
    }
    if (is_over(winner_)) return false;
    pair = next_[winner_].pair;
    return true;
  }

 private:
  struct Next {
    uint64_t prefix = 0;  // of its key: most comparisons end with it
    Pair pair;
    bool is_over = false;
  };

  bool is_over(size_t stream) const { return streams_.empty() || next_[stream].is_over; }
  // Of equal pairs that of the first stream.
  bool is_before(size_t a, size_t b) const {
    const Next &first = next_[a], &second = next_[b];
    if (first.is_over || second.is_over) return !first.is_over;
    if (first.prefix != second.prefix) return first.prefix < second.prefix;
    if (first.pair < second.pair) return true;
    return !(second.pair < first.pair) && a < b;
  }
  // Streams are leaves 'streams' to '2 streams - 1' of a tree. Gives who wins below `match`.
  size_t play(size_t match) {
    if (match >= streams_.size()) return match - streams_.size();
    size_t winner = play(2 * match), loser = play(2 * match + 1);
    if (is_before(loser, winner)) std::swap(winner, loser);
    losers_[match] = loser;
    return winner;
  }
  // False after a failure.
  bool move_on(size_t stream) {
    Next& next = next_[stream];
    if (!streams_[stream]->next(next.pair)) {
      next.is_over = true;
      const Status& ended = streams_[stream]->status();
      return ended ? true : fail(ended);
    }
    next.prefix = prefix_of(next.pair.key);
    return true;
  }

  std::vector<std::unique_ptr<PairStream>> streams_;
  std::vector<Next> next_;
  std::vector<size_t> losers_;  // of each match, from 1 on
  size_t winner_ = 0;
  bool is_begun_ = false;
};

// The values of a key as one.
class FoldedPairs final : public PairStream {
 public:
  FoldedPairs(std::unique_ptr<PairStream> from, const Combiner& combiner, bool begins)
      : from_(std::move(from)), combiner_(combiner), begins_(begins) {}

  bool next(Pair& pair) override {
    if (!is_begun_) {
      is_begun_ = true;
      has_next_ = from_->next(next_);
    }
    if (!has_next_) return end();
    key_.assign(next_.key);
    pair = next_;
    if (!take(total_)) return false;
    while ((has_next_ = from_->next(next_)) && next_.key == key_ && (!begins_ || next_.split == pair.split)) {
      if (!take(other_)) return false;
      if (!combiner_.fold(context_, total_.data(), other_.data()))
        return fail(combiner_.failure(context_, key_));
    }
    if (!has_next_ && !from_->status()) return fail(from_->status());
    pair.key = key_;
    pair.value = {reinterpret_cast<const char*>(total_.data()), combiner_.bytes()};
    return true;
  }

 private:
  struct alignas(16) Partial : std::array<std::byte, PLAIT_MAX_PARTIAL> {};

  bool end() { return from_->status() ? false : fail(from_->status()); }
  bool take(Partial& into) {
    if (!begins_) {
      std::memcpy(into.data(), next_.value.data(), combiner_.bytes());
      return true;
    }
    std::memset(into.data(), 0, combiner_.bytes());
    return combiner_.begin(context_, next_.value, into.data()) ||
           fail(combiner_.failure(context_, next_.key));
  }

  std::unique_ptr<PairStream> from_;
  const Combiner& combiner_;
  const bool begins_;
  CallContext context_;
  bool is_begun_ = false, has_next_ = false;
  Pair next_;
  std::string key_;
  Partial total_, other_;
};

}  // namespace

std::unique_ptr<PairStream> merge(std::vector<std::unique_ptr<PairStream>> streams, const Combiner* combiner,
                                  Fold fold) {
  const bool is_one = streams.size() == 1;
  std::unique_ptr<PairStream> merged =
      is_one ? std::move(streams.front()) : std::make_unique<Merged>(std::move(streams));
  // One sorted stream of folded pairs has each key once.
  if (fold == Fold::kNot || (is_one && fold == Fold::kAll && combiner->is_commutative())) return merged;
  return std::make_unique<FoldedPairs>(std::move(merged), *combiner, fold == Fold::kBeginInSplits);
}

}  // namespace plait::inline mapreduce
