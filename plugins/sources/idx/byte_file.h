// The bytes of a file, gzip or plain by its content, in order. No more of it is read or expanded than is
// asked for.
//
// Fails with: NotFound, IoError (no regular file, no permission), CorruptFile (gzip cut short or damaged),
// naming the file. Threads: [one at a time]
#pragma once
#include <plait/sdk/file.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plait::idx {

class ByteFile {
 public:
  // Where `path` is not there but its twin with or without ".gz" is, that is opened.
  explicit ByteFile(const std::string& path);
  ~ByteFile();
  ByteFile(const ByteFile&) = delete;
  ByteFile& operator=(const ByteFile&) = delete;

  const std::string& path() const { return file_.path(); }
  // The next `count` bytes; fewer only at the end.
  std::vector<uint8_t> read(uint64_t count);
  // The same, fast where it is the whole rest of a gzip file.
  std::vector<uint8_t> read_rest(uint64_t count);
  // True when there is nothing more.
  bool at_end();

 private:
  struct Inflater;
  bool refill();
  size_t read_some(uint8_t* to, size_t most);
  size_t inflate_some(uint8_t* to, size_t most);
  std::optional<std::vector<uint8_t>> inflate_whole(uint64_t count) const;

  sdk::File file_;
  std::vector<uint8_t> piece_;            // of the file as it lies on the disk
  uint64_t piece_begin_ = 0, place_ = 0;  // in the file, and in the piece
  uint64_t given_ = 0;                    // bytes given out
  bool ended_ = false;                    // all was expanded at once, and nothing is left
  std::unique_ptr<Inflater> inflater_;    // of a gzip file
};

}  // namespace plait::idx
