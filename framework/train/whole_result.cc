#include "train/whole_result.h"

#include <cstdint>
#include <limits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace plait::inline train {
namespace {

constexpr uint64_t kPiece_elements = uint64_t{1} << 17;
// Below it a thread that is woken costs more than it does.
constexpr uint64_t kAlone_elements = uint64_t{1} << 18;
constexpr uint64_t kNoPiece = std::numeric_limits<uint64_t>::max();

// What is not read again soon: the lines that it goes to are not fetched before, and push nothing out.
void copy_past_caches(std::span<const float> from, float* to) {
  size_t i = 0;
#if defined(__SSE2__)
  constexpr size_t kVector = 4;
  for (; i < from.size() && reinterpret_cast<uintptr_t>(to + i) % (kVector * sizeof(float)) != 0; ++i)
    to[i] = from[i];
  for (; i + kVector <= from.size(); i += kVector) _mm_stream_ps(to + i, _mm_loadu_ps(from.data() + i));
#endif
  for (; i < from.size(); ++i) to[i] = from[i];
#if defined(__SSE2__)
  _mm_sfence();  // before others are told that it is there
#endif
}

}  // namespace

WholeResult::WholeResult(std::vector<Segment> segments, std::vector<std::vector<Segment>> slots,
                         uint64_t buffers, int threads)
    : segments_(std::move(segments)), slots_(std::move(slots)) {
  add(segments_, -1, buffers);
  for (size_t s = 0; s < slots_.size(); ++s) {
    is_all_ = is_all_ && !slots_[s].empty();
    add(slots_[s], static_cast<int>(s), 0);
  }
  uint64_t elements = 0;
  for (const Piece& piece : pieces_) elements += piece.count;
  if (threads > 1 && elements > kAlone_elements) lanes_ = std::make_unique<Lanes>(threads);
}

void WholeResult::add(const std::vector<Segment>& segments, int slot, uint64_t buffers) {
  for (const Segment& segment : segments) {
    if (segment.rule == ReduceRule::kNone) {
      is_all_ = is_all_ && segment.offset < buffers;
      continue;
    }
    for (uint64_t first = 0; first < segment.count; first += kPiece_elements)
      pieces_.push_back({&segment, slot, first, std::min<uint64_t>(kPiece_elements, segment.count - first)});
  }
}

std::span<const float> WholeResult::values_of(const Piece& piece) const {
  const float* const from = piece.slot < 0 ? values_.data() : slot_values_[static_cast<size_t>(piece.slot)];
  return {from + piece.segment->offset + piece.first, piece.count};
}

void WholeResult::run(int (*body)(void* self, uint64_t begin, uint64_t end)) {
  if (!lanes_) {
    body(this, 0, pieces_.size());
    return;
  }
  lanes_->execute([&] { return parallel_pieces(pieces_.size(), 1, lanes_->count(), body, this, nullptr); });
}

Status WholeResult::check(std::span<const float> values, std::span<const float* const> slots) {
  values_ = values;
  slot_values_ = slots;
  first_bad_ = kNoPiece;
  run([](void* self, uint64_t begin, uint64_t end) {
    auto& result = *static_cast<WholeResult*>(self);
    for (uint64_t i = begin; i < end; ++i) {
      if (check_finite(*result.pieces_[i].segment, 0, result.values_of(result.pieces_[i]))) continue;
      uint64_t known = result.first_bad_;
      while (i < known && !result.first_bad_.compare_exchange_weak(known, i)) {
      }
    }
    return static_cast<int>(PLAIT_OK);
  });
  if (first_bad_ == kNoPiece) return {};
  const Piece& bad = pieces_[first_bad_];
  return check_finite(*bad.segment, bad.first, values_of(bad));
}

void WholeResult::take(RoundState& state) {
  state_ = &state;
  run([](void* self, uint64_t begin, uint64_t end) {
    auto& result = *static_cast<WholeResult*>(self);
    for (uint64_t i = begin; i < end; ++i) {
      const Piece& piece = result.pieces_[i];
      HostArena& into =
          piece.slot < 0 ? result.state_->weights : result.state_->slots[static_cast<size_t>(piece.slot)];
      copy_past_caches(result.values_of(piece), into.data() + piece.segment->offset + piece.first);
    }
    return static_cast<int>(PLAIT_OK);
  });
}

}  // namespace plait::inline train
