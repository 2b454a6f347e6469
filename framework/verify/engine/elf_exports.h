// What an ELF file exports and needs, read without loading it.
#pragma once
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline verify {

struct ElfSymbols {
  std::vector<std::string> exported;   // defined, global or weak, visible
  std::vector<std::string> libraries;  // DT_NEEDED
};

// Fails with: kNotFound, kIo; kCorrupt when it is no 64-bit ELF file or is cut short.
Result<ElfSymbols> read_elf_symbols(const std::string& path);

}  // namespace plait::inline verify
