// SHA-256, fed piece by piece: names the exact bytes of plugins, weights and run files.
// Source: FIPS 180-4, section 6.2.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace plait::inline base {

// Takes the processor's SHA instructions where it has them; the digest is the same.
// Threads: [one at a time]
class Sha256 {
 public:
  using Digest = std::array<uint8_t, 32>;

  // kBits leaves the processor's SHA instructions alone, kPortable its instructions on bits too; for tests.
  enum class Path { kBest, kBits, kPortable };
  explicit Sha256(Path path = Path::kBest);

  void update(std::span<const std::byte> bytes);
  void update(const void* data, size_t bytes);
  void update(std::string_view text) { update(text.data(), text.size()); }

  // Of everything since construction. Further updates are not allowed.
  Digest digest();

  // Lower case, 64 digits.
  static std::string hex_of(const Digest& digest);
  static std::string hex_of(std::string_view bytes);

  // Digest of a file's bytes, in hexadecimal.
  // Fails with: kNotFound when there is no such file; kIo when it cannot be read.
  static Result<std::string> hex_of_file(const std::string& path);

 private:
  using Compress = void (*)(uint32_t* state, const uint8_t* blocks, size_t n_blocks);
  static constexpr size_t kBlockBytes = 64;

  Compress compress_;
  std::array<uint32_t, 8> state_;
  std::array<uint8_t, kBlockBytes> block_{};
  size_t block_bytes_ = 0;  // in block_, not yet compressed
  uint64_t total_bytes_ = 0;
};

}  // namespace plait::inline base
