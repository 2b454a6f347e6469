#include "base/sha256.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/regular_file.h"
#include "base/sha256_blocks.h"

namespace plait::inline base {

namespace {

auto compress_of(Sha256::Path path) {
  if (path == Sha256::Path::kBest && sha256::has_instructions()) return sha256::compress_instructions;
  const bool bits = path != Sha256::Path::kPortable && sha256::has_bit_instructions();
  return bits ? sha256::compress_with_bit_instructions : sha256::compress_portable;
}

}  // namespace

Sha256::Sha256(Path path)
    : compress_(compress_of(path)), state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

void Sha256::update(std::span<const std::byte> bytes) { update(bytes.data(), bytes.size()); }

void Sha256::update(const void* data, size_t bytes) {
  if (bytes == 0) return;
  auto* from = static_cast<const uint8_t*>(data);
  total_bytes_ += bytes;
  if (block_bytes_ > 0) {
    const size_t taken = std::min(bytes, kBlockBytes - block_bytes_);
    std::memcpy(block_.data() + block_bytes_, from, taken);
    block_bytes_ += taken, from += taken, bytes -= taken;
    if (block_bytes_ < kBlockBytes) return;
    compress_(state_.data(), block_.data(), 1);
  }
  compress_(state_.data(), from, bytes / kBlockBytes);
  block_bytes_ = bytes % kBlockBytes;
  std::memcpy(block_.data(), from + (bytes - block_bytes_), block_bytes_);
}

Sha256::Digest Sha256::digest() {
  const uint64_t bits = total_bytes_ * 8;
  // Section 5.1.1: a one bit, zeros, and the length as the last eight bytes of a block.
  uint8_t padding[kBlockBytes + 8] = {0x80};
  const size_t zeros_end = (block_bytes_ < 56 ? 56 : 120) - block_bytes_;
  for (int i = 0; i < 8; ++i) padding[zeros_end + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  update(padding, zeros_end + 8);
  Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

std::string Sha256::hex_of(const Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : digest) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

std::string Sha256::hex_of(std::string_view bytes) {
  Sha256 sum;
  sum.update(bytes);
  return hex_of(sum.digest());
}

Result<std::string> Sha256::hex_of_file(const std::string& path) {
  PLAIT_ASSIGN(const RegularFile file, RegularFile::open(path));
  Sha256 sum;
  std::vector<char> buffer(1 << 16);
  for (uint64_t at = 0; at < file.size_bytes();) {
    const auto piece = static_cast<size_t>(std::min<uint64_t>(buffer.size(), file.size_bytes() - at));
    PLAIT_TRY(file.read_at(at, buffer.data(), piece));
    sum.update(buffer.data(), piece);
    at += piece;
  }
  return hex_of(sum.digest());
}

}  // namespace plait::inline base
