#include "line_file.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace plait::text_lines {
namespace {

constexpr uint64_t kBlock = 64;         // lines
constexpr size_t kPiece = 1 << 18;      // bytes that are read at once
constexpr uint64_t kNone = UINT64_MAX;  // no file, no block
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// body(place after a \n), for each in the piece that begins at `offset`.
template <class Body>
void each_end(const char* piece, size_t size, uint64_t offset, Body&& body) {
  size_t at = 0;
#if defined(__SSE2__)
  // 64 bytes at once: lines are often so short that a search for each would cost more than the bytes.
  const __m128i ends = _mm_set1_epi8('\n');
  for (; at + 64 <= size; at += 64) {
    uint64_t found = 0;
    for (size_t i = 0; i < 4; ++i) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(piece + at) + i);
      found |= uint64_t{static_cast<uint16_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, ends)))} << 16 * i;
    }
    for (; found != 0; found &= found - 1)
      body(offset + at + static_cast<uint64_t>(std::countr_zero(found)) + 1);
  }
#endif
  for (; at < size; ++at)
    if (piece[at] == '\n') body(offset + at + 1);
}

}  // namespace

// What a thread keeps: where the lines of a block begin, and some of the bytes.
struct LineFile::Window {
  uint64_t file = kNone, block = kNone;
  uint64_t begins[kBlock + 1];  // the last one: where the block ends
  uint64_t offset = 0;          // of `memory` in the file
  size_t size = 0;              // bytes in it
  std::vector<char> memory;
};

LineFile::Window& LineFile::window_of_thread() {
  thread_local Window window;
  return window;
}

LineFile::LineFile(const std::string& path) : file_(path) {
  static std::atomic<uint64_t> files = 0;
  number_ = files.fetch_add(1);
  std::vector<char> piece(kPiece);
  const uint64_t size = file_.size_bytes();
  char first[kByteOrderMark.size()];
  const std::string_view head(first, file_.read_at(0, first, sizeof first));
  uint64_t offset = head == kByteOrderMark ? head.size() : 0;  // of the piece
  uint64_t begin = offset;                                     // of the line
  while (offset < size) {
    const size_t got = file_.read_at(offset, piece.data(), piece.size());
    if (got == 0) has_changed();
    each_end(piece.data(), got, offset, [&](uint64_t end) {
      if (count_++ % kBlock == 0) blocks_.push_back(begin);
      begin = end;
    });
    offset += got;
  }
  if (begin < size && count_++ % kBlock == 0) blocks_.push_back(begin);
}

uint64_t LineFile::end_of(uint64_t block) const {
  return block + 1 < blocks_.size() ? blocks_[block + 1] : file_.size_bytes();
}
uint64_t LineFile::lines_of(uint64_t block) const { return std::min(kBlock, count_ - block * kBlock); }

// Finds where the block's lines begin. Its last bytes stay in memory: of lines that are not long, all.
void LineFile::move_to(uint64_t block, Window& window) const {
  window.file = kNone;  // until all is known
  if (window.memory.size() < kPiece) window.memory.resize(kPiece);
  const uint64_t end = end_of(block), lines = lines_of(block);
  uint64_t found = 0, offset = blocks_[block];
  window.begins[0] = offset;
  while (offset < end) {
    window.size = file_.read_at(offset, window.memory.data(), std::min<uint64_t>(kPiece, end - offset));
    window.offset = offset;
    if (window.size == 0) has_changed();
    each_end(window.memory.data(), window.size, offset, [&](uint64_t behind) {
      if (++found > lines) has_changed();
      window.begins[found] = behind;
    });
    offset += window.size;
  }
  if (found + 1 == lines && end == file_.size_bytes() && window.begins[found] < end)
    window.begins[++found] = end;
  if (found != lines || window.begins[found] != end) has_changed();
  window.block = block;
  window.file = number_;
}

std::string_view LineFile::bytes(uint64_t begin, size_t size, Window& window) const {
  if (begin < window.offset || begin + size > window.offset + window.size) {
    window.size = 0;
    if (window.memory.size() < size) window.memory.resize(size);
    if (file_.read_at(begin, window.memory.data(), size) != size) has_changed();
    window.offset = begin;
    window.size = size;
  }
  return {window.memory.data() + (begin - window.offset), size};
}

std::string_view LineFile::line(uint64_t index, size_t most) const {
  Window& window = window_of_thread();
  const uint64_t block = index / kBlock;
  if (window.file != number_ || window.block != block) move_to(block, window);
  const uint64_t begin = window.begins[index % kBlock], size = window.begins[index % kBlock + 1] - begin;
  // Two more may be its end.
  if (size > most + uint64_t{2})
    throw sdk::BadRecord(path(), ": line ", index + 1, " has ", size, " bytes, wanted at most ", most);
  std::string_view line = bytes(begin, static_cast<size_t>(size), window);
  if (line.ends_with('\n')) {
    line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
  }
  if (line.size() > most)
    throw sdk::BadRecord(path(), ": line ", index + 1, " has ", line.size(), " bytes, wanted at most ", most);
  return line;
}

void LineFile::has_changed() const {
  throw sdk::IoError(path(), " is no longer the file that was opened: others must not write to it meanwhile");
}

}  // namespace plait::text_lines
