#include "mapreduce/spill_parts.h"

#include <algorithm>
#include <cstring>

#include "mapreduce/pair.h"

namespace plait::inline mapreduce {
namespace {

// More parts: fewer keys in each. Smaller pieces: more calls of the system.
constexpr size_t kParts = 64, kLeastPiece = size_t{1} << 10, kMostPiece = size_t{256} << 10;
constexpr size_t kHead = sizeof(SpillSegment);
// Of an entry's two bytes of lengths: a longer key's follows them.
constexpr size_t kLongKey = 255;
constexpr size_t kMostTrimmed = 64;  // larger partials are written as they are

// Without zeros at its end, which small numbers have.
size_t trimmed_bytes(const std::byte* partial, size_t bytes) {
  if (bytes > kMostTrimmed) return bytes;
  while (bytes > 0 && partial[bytes - 1] == std::byte{0}) --bytes;
  return bytes;
}

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
  const size_t value_bytes = trimmed_bytes(partial, partial_bytes_);
  const bool is_long = key.size() >= kLongKey;
  const size_t bytes = 2 + (is_long ? sizeof(uint32_t) : 0) + value_bytes + key.size();
  if (part.waiting.size() > kHead && part.waiting.size() + bytes > buffer_bytes_) PLAIT_TRY(write(part));
  if (part.waiting.empty()) part.waiting.reserve(buffer_bytes_);
  const size_t at = std::max(part.waiting.size(), kHead);
  part.waiting.resize(at + bytes);
  std::byte* into = part.waiting.data() + at;
  *into++ = static_cast<std::byte>(std::min(key.size(), kLongKey));
  *into++ = static_cast<std::byte>(std::min<size_t>(value_bytes, kMostTrimmed));
  const auto put = [&into](const void* from, size_t size) {
    if (size > 0) std::memcpy(into, from, size);
    into += size;
  };
  const auto length = static_cast<uint32_t>(key.size());
  if (is_long) put(&length, sizeof length);
  put(partial, value_bytes);
  put(key.data(), key.size());
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
  std::vector<std::byte> partial(partial_bytes_);
  while (piece.bytes > 0) {
    buffer.resize(piece.bytes);
    PLAIT_TRY(file_.read(piece.offset, buffer));
    std::memcpy(&piece, buffer.data(), kHead);
    for (const std::byte *at = buffer.data() + kHead, *const end = buffer.data() + buffer.size(); at < end;) {
      auto length = static_cast<uint32_t>(at[0]);
      const size_t value_bytes = partial_bytes_ > kMostTrimmed ? partial_bytes_ : static_cast<size_t>(at[1]);
      at += 2;
      if (length == kLongKey) {
        std::memcpy(&length, at, sizeof length);
        at += sizeof length;
      }
      std::ranges::fill(partial, std::byte{0});
      std::copy_n(at, value_bytes, partial.begin());
      at += value_bytes;
      PLAIT_TRY(take({reinterpret_cast<const char*>(at), length}, partial.data()));
      at += length;
    }
  }
  return {};
}

}  // namespace plait::inline mapreduce
