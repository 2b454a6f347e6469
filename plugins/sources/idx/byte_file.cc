#include "byte_file.h"

#include <libdeflate.h>
#include <zlib.h>

#include <plait/sdk.hpp>

#include <algorithm>
#include <filesystem>

namespace plait::idx {
namespace {

using sdk::CorruptFile;
using sdk::IoError;
using sdk::NotFound;

// Bytes by which answers grow: a false count cannot ask for more than is there.
constexpr uint64_t kChunk = 1 << 20;
constexpr size_t kPiece = 1 << 16;
constexpr uint64_t kMostAtOnce = 1 << 30;  // larger files are inflated piece by piece
constexpr uint64_t kMostRatio = 1032;      // that a byte of deflate makes

std::string existing(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return path;
  const bool zipped = path.ends_with(".gz");
  const std::string twin = zipped ? path.substr(0, path.size() - 3) : path + ".gz";
  if (std::filesystem::exists(twin, ignored)) return twin;
  throw NotFound(path, " does not exist, nor does ", twin);
}

}  // namespace

// One zlib stream over stored bytes; several gzip members follow one another as one text.
struct ByteFile::Inflater {
  z_stream stream{};
  bool done = false;

  explicit Inflater(const std::string& path) {
    if (inflateInit2(&stream, 15 + 16) != Z_OK) throw IoError(path, ": zlib does not start");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

ByteFile::ByteFile(const std::string& path) : file_(existing(path)) {
  if (!refill() || piece_.size() < 2 || piece_[0] != 0x1f || piece_[1] != 0x8b) return;
  inflater_ = std::make_unique<Inflater>(file_.path());
}
ByteFile::~ByteFile() = default;

// The next piece, when this one is used up. False at the end.
bool ByteFile::refill() {
  if (place_ < piece_.size()) return true;
  piece_begin_ += piece_.size();
  place_ = 0;
  piece_.resize(kPiece);
  piece_.resize(file_.read_at(piece_begin_, piece_.data(), piece_.size()));
  return !piece_.empty();
}

size_t ByteFile::inflate_some(uint8_t* to, size_t most) {
  z_stream& z = inflater_->stream;
  z.next_out = to;
  z.avail_out = static_cast<uInt>(most);
  while (z.avail_out > 0 && !inflater_->done) {
    if (!refill())
      throw CorruptFile(path(), ": gzip data ends early, after ", file_.size_bytes(), " bytes of the file");
    z.next_in = piece_.data() + place_;
    z.avail_in = static_cast<uInt>(piece_.size() - place_);
    const uInt offered = z.avail_in;
    const int status = inflate(&z, Z_NO_FLUSH);
    place_ += offered - z.avail_in;
    if (status == Z_STREAM_END) {
      inflater_->done = !refill();
      if (!inflater_->done && inflateReset(&z) != Z_OK) throw IoError(path(), ": zlib does not start again");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw CorruptFile(path(), ": gzip data is damaged near byte ", piece_begin_ + place_, ": ",
                        z.msg ? z.msg : "unknown error");
    }
  }
  return most - z.avail_out;
}

size_t ByteFile::read_some(uint8_t* to, size_t most) {
  if (ended_) return 0;
  size_t count = 0;
  if (inflater_) {
    count = inflate_some(to, most);
  } else {
    for (; count < most && refill();) {
      const size_t step = std::min<size_t>(most - count, piece_.size() - place_);
      std::copy_n(piece_.data() + place_, step, to + count);
      place_ += step, count += step;
    }
  }
  given_ += count;
  return count;
}

std::vector<uint8_t> ByteFile::read(uint64_t count) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < count) {
    const size_t before = bytes.size();
    const auto step = static_cast<size_t>(std::min(kChunk, count - before));
    bytes.resize(before + step);
    const size_t got = read_some(bytes.data() + before, step);
    bytes.resize(before + got);
    if (got < step) break;
  }
  return bytes;
}

// All of a gzip file, without what was given out before, or nothing: when it is large, something is wrong
// with it, or it makes another number of bytes; the slower reader then says what. libdeflate takes half the
// time of zlib.
std::optional<std::vector<uint8_t>> ByteFile::inflate_whole(uint64_t count) const {
  struct Free {
    void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
  };
  const std::unique_ptr<libdeflate_decompressor, Free> decompressor(libdeflate_alloc_decompressor());
  const uint64_t size = file_.size_bytes();
  if (!decompressor || size > kMostAtOnce || count > std::min(kMostAtOnce, size * kMostRatio))
    return std::nullopt;
  const std::string stored = file_.read_all(kMostAtOnce);
  std::vector<uint8_t> bytes(static_cast<size_t>(given_ + count));
  size_t place = 0, filled = 0;
  while (place < stored.size()) {
    size_t taken = 0, made = 0;
    if (libdeflate_gzip_decompress_ex(decompressor.get(), stored.data() + place, stored.size() - place,
                                      bytes.data() + filled, bytes.size() - filled, &taken,
                                      &made) != LIBDEFLATE_SUCCESS)
      return std::nullopt;
    place += taken;
    filled += made;
  }
  if (filled != bytes.size()) return std::nullopt;
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(given_));
  return bytes;
}

std::vector<uint8_t> ByteFile::read_rest(uint64_t count) {
  if (inflater_) {
    if (auto rest = inflate_whole(count)) {
      ended_ = true;
      return std::move(*rest);
    }
  }
  return read(count);
}

bool ByteFile::at_end() {
  uint8_t next = 0;
  return read_some(&next, 1) == 0;
}

}  // namespace plait::idx
