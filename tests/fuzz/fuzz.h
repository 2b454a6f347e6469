// What every harness of tests/fuzz/ needs. A harness is one file with LLVMFuzzerTestOneInput: it gives bytes
// to one reader, which answers or refuses, and must not crash, hang or take much more memory than the input
// is long.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace plait::fuzz {

// The bytes as a regular file, for readers that take a path. Threads: [one at a time]
class ScratchFile {
 public:
  ScratchFile();
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  // Its content is `size` bytes of `data` from now on; returns its path.
  const std::string& hold(const uint8_t* data, size_t size);

 private:
  int file_;
  std::string path_;
};

}  // namespace plait::fuzz
