#include "idx_file.h"

#include <plait/sdk.hpp>

#include <functional>
#include <numeric>

#include "byte_file.h"

namespace plait::idx {
namespace {

using sdk::CorruptFile;

constexpr int64_t kMostBytes = int64_t{1} << 40;
constexpr uint8_t kUnsignedByte = 0x08;

uint32_t big_endian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

std::string hexadecimal(uint32_t number) {
  std::string digits = "0x00000000";
  for (size_t i = 0; i < 8; ++i) digits[9 - i] = "0123456789abcdef"[number >> 4 * i & 15];
  return digits;
}

std::string magic_of(int rank) {
  return hexadecimal(uint32_t{kUnsignedByte} << 8 | static_cast<uint32_t>(rank));
}

// Number of dimensions, from the first four bytes.
int read_magic(ByteFile& file, const char* what, int low_rank, int high_rank) {
  const auto bytes = file.read(4);
  if (bytes.size() < 4) {
    throw CorruptFile(file.path(), ": ends after ", bytes.size(), " bytes, wanted an IDX header of ", what);
  }
  const int rank = bytes[3];
  if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != kUnsignedByte || rank < low_rank || rank > high_rank) {
    throw CorruptFile(file.path(), ": magic number is ", hexadecimal(big_endian(bytes.data())), ", wanted ",
                      magic_of(low_rank), low_rank == high_rank ? "" : " to " + magic_of(high_rank), " for ",
                      what);
  }
  return rank;
}

std::vector<int64_t> read_shape(ByteFile& file, int rank) {
  const auto bytes = file.read(4 * static_cast<uint64_t>(rank));
  if (bytes.size() < 4 * static_cast<size_t>(rank)) {
    throw CorruptFile(file.path(), ": ends within its header, after ", 4 + bytes.size(), " bytes, wanted ",
                      rank, " dimensions");
  }
  std::vector<int64_t> shape;
  int64_t size = 1;
  for (int i = 0; i < rank; ++i) {
    const int64_t extent = big_endian(bytes.data() + 4 * i);
    if (extent == 0) throw CorruptFile(file.path(), ": dimension ", i, " is 0, wanted at least 1");
    shape.push_back(extent);
    if (size > kMostBytes / extent) {
      throw CorruptFile(file.path(), ": dimensions ", std::span<const int64_t>(shape), " are more than ",
                        kMostBytes, " bytes");
    }
    size *= extent;
  }
  return shape;
}

}  // namespace

int64_t IdxFile::record_size() const {
  return std::accumulate(shape.begin() + 1, shape.end(), int64_t{1}, std::multiplies<>());
}

IdxFile read_idx(const std::string& path, const char* what, int low_rank, int high_rank) {
  ByteFile file(path);
  IdxFile idx;
  idx.path = file.path();
  idx.shape = read_shape(file, read_magic(file, what, low_rank, high_rank));
  const auto wanted = static_cast<uint64_t>(idx.count() * idx.record_size());
  idx.elements = file.read_rest(wanted);
  const std::span<const int64_t> shape(idx.shape);
  if (idx.elements.size() < wanted) {
    throw CorruptFile(idx.path, ": holds ", idx.elements.size(), " bytes of ", what, ", wanted ", wanted,
                      " for dimensions ", shape);
  }
  if (!file.at_end()) {
    throw CorruptFile(idx.path, ": goes on after the ", wanted, " bytes of ", what, " that its dimensions ",
                      shape, " say");
  }
  return idx;
}

}  // namespace plait::idx
