// A library's file as bytes, looked at before any of its code runs. The file may be anything: every access is
// checked against its size, and nothing here crashes.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline registry {

// A note of a library: what `readelf -n` lists.
struct ElfNote {
  std::string owner;
  uint32_t type = 0;
  std::string text;  // the bytes of its description
};

struct ElfFile {
  std::vector<ElfNote> notes;  // those that can be read; a damaged one ends the list

  // Reads what the loader of this machine would have to find: an ELF shared library of this word size, byte
  // order and machine, with all of what is to be loaded. The messages go on from the file's name.
  // Fails with: kNotFound when it is not there (and where a link points to); kIo when it may not be read;
  // kInvalid when it is a folder, no ELF file, for another machine, no shared library, or cut short.
  static Result<ElfFile> read(const std::string& path);
};

}  // namespace plait::inline registry
