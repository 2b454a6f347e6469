#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "fuzz.h"

namespace plait::fuzz {

ScratchFile::ScratchFile()
    : file_(::memfd_create("input", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(file_)) {
  if (file_ < 0) std::abort();
}
ScratchFile::~ScratchFile() { ::close(file_); }

const std::string& ScratchFile::hold(const uint8_t* data, size_t size) {
  if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
  return path_;
}

}  // namespace plait::fuzz
