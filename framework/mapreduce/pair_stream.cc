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

StoredPairs::StoredPairs(const SpillFile* file, std::vector<SpillSegment> segments, Bytes tail,
                         size_t buffer_bytes, HeldBytes* held)
    : file_(file),
      segments_(std::move(segments)),
      tail_(std::move(tail)),
      buffer_bytes_(buffer_bytes),
      held_(held) {
  held_.set(tail_.capacity());
}

bool StoredPairs::want(size_t bytes) {
  while (buffer_.size() - at_ < bytes) {
    if (segment_ == segments_.size() && tail_taken_) return false;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(at_));
    at_ = 0;
    if (segment_ == segments_.size()) {
      tail_taken_ = true;
      if (buffer_.empty())
        buffer_ = std::move(tail_);
      else
        buffer_.insert(buffer_.end(), tail_.begin(), tail_.end());
      tail_ = {};
      held_.set(buffer_.capacity());
      continue;
    }
    SpillSegment& segment = segments_[segment_];
    const size_t more = std::min<uint64_t>(segment.bytes, std::max(buffer_bytes_, bytes));
    const size_t before = buffer_.size();
    buffer_.resize(before + more);
    held_.set(buffer_.capacity() + tail_.capacity());
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

// A heap of the streams by their next pairs.
class Merged final : public PairStream {
 public:
  explicit Merged(std::vector<std::unique_ptr<PairStream>> streams)
      : streams_(std::move(streams)), pairs_(streams_.size()) {}

  bool next(Pair& pair) override {
    if (!is_begun_) {
      is_begun_ = true;
      for (size_t i = 0; i < streams_.size(); ++i)
        if (!push(i)) return false;
    } else if (taken_ != kNone && !push(taken_)) {
      return false;
    }
    taken_ = kNone;
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), Later{pairs_});
    taken_ = heap_.back().stream;
    pair = pairs_[taken_];
    heap_.pop_back();
    return true;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  struct Head {
    uint64_t prefix;  // of the stream's next key: most comparisons end with it
    size_t stream;
  };
  // The heap's top is the last: the least pair, and of equal ones that of the first stream.
  struct Later {
    const std::vector<Pair>& pairs;
    bool operator()(const Head& a, const Head& b) const {
      if (a.prefix != b.prefix) return b.prefix < a.prefix;
      if (pairs[b.stream] < pairs[a.stream]) return true;
      return !(pairs[a.stream] < pairs[b.stream]) && b.stream < a.stream;
    }
  };
  // False after a failure.
  bool push(size_t stream) {
    if (!streams_[stream]->next(pairs_[stream])) {
      const Status ended = streams_[stream]->status();
      return ended ? true : fail(ended);
    }
    heap_.push_back({prefix_of(pairs_[stream].key), stream});
    std::push_heap(heap_.begin(), heap_.end(), Later{pairs_});
    return true;
  }

  std::vector<std::unique_ptr<PairStream>> streams_;
  std::vector<Pair> pairs_;  // the next of each stream
  std::vector<Head> heap_;
  size_t taken_ = kNone;
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
