#include "mapreduce/spill_parts.h"

#include <algorithm>
#include <cstring>

#include "mapreduce/pair.h"

namespace plait {
namespace {

// More parts: fewer keys in each. Smaller pieces: more calls of the system.
constexpr size_t kParts = 64, kLeastPiece = size_t{1} << 10, kMostPiece = size_t{256} << 10;
constexpr size_t kHead = sizeof(SpillSegment);

}  // namespace

SpillParts::SpillParts(int ranks, size_t partial_bytes, uint64_t memory_bytes, SpillFile& file,
                       HeldBytes* held)
    : partial_bytes_(partial_bytes), file_(file), held_(held) {
  const auto reducing = static_cast<size_t>(ranks);
  const size_t affordable = std::clamp<size_t>(memory_bytes / kLeastPiece, 1, kParts);
  parts_of_rank_ = std::max<size_t>(1, affordable / reducing);
  wanted_parts_ = parts_of_rank_ * reducing;
  buffer_bytes_ = std::clamp<size_t>(memory_bytes / wanted_parts_, kLeastPiece, kMostPiece);
}

Status SpillParts::add(std::string_view key, const std::byte* partial) {
  if (parts_.empty()) {
    parts_.resize(wanted_parts_);
    held_.set(wanted_parts_ * buffer_bytes_);
  }
  // Whole numbers of parts of a rank: rank_of says the rank that this is a part of too.
  Part& part = parts_[static_cast<size_t>(rank_of(key_hash(key), static_cast<int>(wanted_parts_)))];
  const auto length = static_cast<uint32_t>(key.size());
  const size_t bytes = sizeof length + partial_bytes_ + key.size();
  if (part.waiting.size() > kHead && part.waiting.size() + bytes > buffer_bytes_) PLAIT_TRY(write(part));
  if (part.waiting.empty()) part.waiting.reserve(buffer_bytes_);
  const size_t at = std::max(part.waiting.size(), kHead);
  part.waiting.resize(at + bytes);
  std::byte* into = part.waiting.data() + at;
  std::memcpy(into, &length, sizeof length);
  std::memcpy(into + sizeof length, partial, partial_bytes_);
  if (!key.empty()) std::memcpy(into + sizeof length + partial_bytes_, key.data(), key.size());
  return {};
}

Status SpillParts::write(Part& part) {
  if (part.waiting.empty()) return {};
  std::memcpy(part.waiting.data(), &part.last, kHead);
  PLAIT_ASSIGN(part.last, file_.append(part.waiting));
  part.waiting.clear();
  if (part.waiting.capacity() > buffer_bytes_) part.waiting = {};  // there was a long key
  return {};
}

Status SpillParts::end() {
  for (Part& part : parts_) {
    PLAIT_TRY(write(part));
    part.waiting = {};
  }
  held_.set(0);
  return {};
}

Status SpillParts::read(size_t number, Bytes& buffer, const Taker& take) const {
  SpillSegment piece = parts_[number].last;
  while (piece.bytes > 0) {
    buffer.resize(piece.bytes);
    PLAIT_TRY(file_.read(piece.offset, buffer));
    std::memcpy(&piece, buffer.data(), kHead);
    for (const std::byte *at = buffer.data() + kHead, *const end = buffer.data() + buffer.size(); at < end;) {
      uint32_t length;
      std::memcpy(&length, at, sizeof length);
      const std::byte* const partial = at + sizeof length;
      const auto* const key = reinterpret_cast<const char*>(partial + partial_bytes_);
      PLAIT_TRY(take({key, length}, partial));
      at += sizeof length + partial_bytes_ + length;
    }
  }
  return {};
}

}  // namespace plait
