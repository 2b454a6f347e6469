#include "byte_file.h"

#include <libdeflate.h>
#include <zlib.h>

#include <plait/sdk.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

namespace plait::idx {
namespace {

using sdk::CorruptFile;
using sdk::IoError;
using sdk::NotFound;

// Bytes by which answers grow: a false count cannot ask for more than is there.
constexpr uint64_t kChunk = 1 << 20;
constexpr uint64_t kMostAtOnce = 1 << 30;  // larger files are inflated piece by piece

std::string existing(const std::string& path) {
  std::error_code ignored;
  const bool zipped = path.ends_with(".gz");
  const std::string twin = zipped ? path.substr(0, path.size() - 3) : path + ".gz";
  if (!std::filesystem::exists(path, ignored)) {
    if (std::filesystem::exists(twin, ignored)) return twin;
    throw NotFound(path, " does not exist, nor does ", twin);
  }
  if (std::filesystem::is_directory(path, ignored)) throw IoError(path, " is a folder, wanted an IDX file");
  return path;
}

std::vector<uint8_t> whole_file(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) throw IoError(path, " cannot be opened: ", std::strerror(errno));
  std::vector<uint8_t> bytes;
  for (size_t got = kChunk; got > 0;) {
    const size_t before = bytes.size();
    bytes.resize(before + kChunk);
    got = std::fread(bytes.data() + before, 1, kChunk, file.get());
    bytes.resize(before + got);
  }
  if (std::ferror(file.get())) throw IoError(path, " cannot be read: ", std::strerror(errno));
  return bytes;
}

// A gzip file at once, or nothing when it is too large or something is wrong with it: the slower reader then
// says what. libdeflate takes half the time of zlib.
std::optional<std::vector<uint8_t>> inflate_whole(const std::vector<uint8_t>& stored) {
  struct Free {
    void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
  };
  const std::unique_ptr<libdeflate_decompressor, Free> decompressor(libdeflate_alloc_decompressor());
  if (!decompressor || stored.size() < 4) return std::nullopt;
  // The last four bytes announce the size, truly for one member. A byte of deflate makes at most 1,032.
  uint32_t announced = 0;
  std::memcpy(&announced, stored.data() + stored.size() - 4, 4);
  if (announced > std::min<uint64_t>(kMostAtOnce, stored.size() * 1032)) return std::nullopt;
  std::vector<uint8_t> bytes(announced);
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
  bytes.resize(filled);
  return bytes;
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

ByteFile::ByteFile(const std::string& path) : path_(existing(path)), stored_(whole_file(path_)) {
  if (stored_.size() < 2 || stored_[0] != 0x1f || stored_[1] != 0x8b) return;
  if (auto whole = inflate_whole(stored_)) {
    stored_ = std::move(*whole);
  } else {
    inflater_ = std::make_unique<Inflater>(path_);
  }
}
ByteFile::~ByteFile() = default;

size_t ByteFile::read_some(uint8_t* to, size_t most) {
  if (!inflater_) {
    const size_t count = std::min(most, stored_.size() - place_);
    std::copy_n(stored_.data() + place_, count, to);
    place_ += count;
    return count;
  }
  z_stream& z = inflater_->stream;
  z.next_out = to;
  z.avail_out = static_cast<uInt>(most);
  while (z.avail_out > 0 && !inflater_->done) {
    z.next_in = stored_.data() + place_;
    z.avail_in = static_cast<uInt>(std::min<size_t>(stored_.size() - place_, 1u << 30));
    const uInt offered = z.avail_in;
    const int status = inflate(&z, Z_NO_FLUSH);
    place_ += offered - z.avail_in;
    if (status == Z_STREAM_END) {
      inflater_->done = place_ == stored_.size();
      if (!inflater_->done && inflateReset(&z) != Z_OK) throw IoError(path_, ": zlib does not start again");
    } else if (status == Z_BUF_ERROR || (status == Z_OK && z.avail_in == 0 && z.avail_out > 0)) {
      throw CorruptFile(path_, ": gzip data ends early, after ", stored_.size(), " bytes of the file");
    } else if (status != Z_OK) {
      throw CorruptFile(path_, ": gzip data is damaged near byte ", place_, ": ",
                        z.msg ? z.msg : "unknown error");
    }
  }
  return most - z.avail_out;
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

bool ByteFile::at_end() {
  uint8_t next = 0;
  return read_some(&next, 1) == 0;
}

}  // namespace plait::idx
