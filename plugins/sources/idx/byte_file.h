// The bytes of a file, gzip or plain by its content, in order and to its end.
//
// Fails with: NotFound, IoError (a folder, no permission), CorruptFile (gzip cut short or damaged), naming
// the file. Threads: [one at a time]
#pragma once
#include <cstdint>
#include <memory>
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

  const std::string& path() const { return path_; }
  // The next `count` bytes; fewer only at the end.
  std::vector<uint8_t> read(uint64_t count);
  // True when there is nothing more.
  bool at_end();

 private:
  struct Inflater;
  size_t read_some(uint8_t* to, size_t most);

  std::string path_;
  std::vector<uint8_t> stored_;  // the file as it lies on the disk
  size_t place_ = 0;             // plain: bytes given out
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace plait::idx
