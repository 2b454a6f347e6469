#include "verify/engine/elf_exports.h"

#include <elf.h>

#include <cstring>

#include "base/files.h"

namespace plait::inline verify {
namespace {

// A view of the file whose every access is checked: the file may be anything.
class Elf {
 public:
  explicit Elf(const std::string& bytes) : bytes_(bytes) {}

  template <class T>
  bool read(uint64_t offset, T& value) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof value) return false;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return true;
  }
  std::string text(const Elf64_Shdr& strings, uint64_t place) const {
    std::string result;
    for (uint64_t at = strings.sh_offset + place; at < bytes_.size() && bytes_[at] != '\0'; ++at)
      result += bytes_[at];
    return result;
  }
  bool read_header() {
    return read(0, header_) && std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0 &&
           header_.e_ident[EI_CLASS] == ELFCLASS64 && header_.e_shentsize == sizeof(Elf64_Shdr);
  }
  bool find_section(uint32_t type, Elf64_Shdr& section, Elf64_Shdr& strings) const {
    for (uint64_t i = 0; i < header_.e_shnum; ++i) {
      if (!read_section(i, section)) return false;
      if (section.sh_type == type) return read_section(section.sh_link, strings);
    }
    return false;
  }

 private:
  bool read_section(uint64_t number, Elf64_Shdr& section) const {
    return read(header_.e_shoff + number * sizeof section, section);
  }
  const std::string& bytes_;
  Elf64_Ehdr header_{};
};

bool is_exported(const Elf64_Sym& symbol) {
  const int binding = ELF64_ST_BIND(symbol.st_info), visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && binding != STB_LOCAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

}  // namespace

Result<ElfSymbols> read_elf_symbols(const std::string& path) {
  PLAIT_ASSIGN(const std::string bytes, SystemFiles().read(path));
  Elf elf(bytes);
  if (!elf.read_header()) return {Code::kCorrupt, path + " is no 64-bit ELF file"};
  ElfSymbols found;
  Elf64_Shdr section, strings;
  if (elf.find_section(SHT_DYNSYM, section, strings)) {
    Elf64_Sym symbol;
    for (uint64_t at = 0; at + sizeof symbol <= section.sh_size; at += sizeof symbol)
      if (elf.read(section.sh_offset + at, symbol) && is_exported(symbol))
        found.exported.push_back(elf.text(strings, symbol.st_name));
  }
  if (elf.find_section(SHT_DYNAMIC, section, strings)) {
    Elf64_Dyn entry;
    for (uint64_t at = 0; at + sizeof entry <= section.sh_size; at += sizeof entry)
      if (elf.read(section.sh_offset + at, entry) && entry.d_tag == DT_NEEDED)
        found.libraries.push_back(elf.text(strings, entry.d_un.d_val));
  }
  return found;
}

}  // namespace plait::inline verify
