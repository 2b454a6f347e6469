// The lines of a text file, by number, of which little is in memory.
//
// Opening reads the file once and keeps the place of every 64th line: 1 MB for 500 MB of lines of 60 bytes. A
// line is then read with the 63 beside it, into memory of the thread that asks: lines in ascending order cost
// one system call for 64 of them, and no lock. The file is not mapped: a file that is cut while it is mapped
// kills the process (SIGBUS), and where it is read that is an error in words. Nor is it held in memory, where
// every rank would hold all of it to read its share.
#pragma once
#include <plait/sdk/file.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace plait::text_lines {

// Threads: [any]
class LineFile {
 public:
  // Fails with: NotFound, IoError as sdk::File.
  explicit LineFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  // Lines end with \n; the last one may lack it. A byte order mark at the file's beginning is of none. An
  // empty file has none.
  uint64_t count() const { return count_; }

  // Line `index`, < count(), without its end: \n, or \r\n. Valid until the thread's next call for any file.
  // Fails with: BadRecord when it has more than `most` bytes; IoError when the file is no longer what it was.
  std::string_view line(uint64_t index, size_t most) const;

 private:
  struct Window;
  static Window& window_of_thread();
  void move_to(uint64_t block, Window& window) const;
  std::string_view bytes(uint64_t begin, size_t size, Window& window) const;
  [[noreturn]] void has_changed() const;
  uint64_t lines_of(uint64_t block) const;
  uint64_t end_of(uint64_t block) const;

  sdk::File file_;
  uint64_t number_;  // of this object among all: what a thread keeps belongs to one of them
  uint64_t count_ = 0;
  std::vector<uint64_t> blocks_;  // where each 64 lines begin
};

}  // namespace plait::text_lines
