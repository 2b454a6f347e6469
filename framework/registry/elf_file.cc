#include "registry/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace plait::inline registry {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
constexpr uint16_t kMachine = EM_NONE;  // not known: any will do
#endif
constexpr uint64_t kMostNotes_bytes = 1 << 20;

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "AArch64";
    case EM_386:
      return "32-bit x86";
    case EM_ARM:
      return "32-bit ARM";
    case EM_PPC64:
      return "PowerPC 64";
    case EM_RISCV:
      return "RISC-V";
    default:
      return fmt::format("machine {}", machine);
  }
}

Status invalid(std::string why) { return {Code::kInvalid, std::move(why)}; }

// What is between the name and a regular file.
Status check_place(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    const int error = errno;
    std::error_code none;
    const auto target = std::filesystem::read_symlink(path, none);
    if (!none && error == ENOENT)
      return {Code::kNotFound, fmt::format("is a link to \"{}\", which is not there", target.string())};
    if (error == ENOENT || error == ENOTDIR) return {Code::kNotFound, "is not there: no such file"};
    return {Code::kIo, fmt::format("cannot be read: {}", std::strerror(error))};
  }
  if (S_ISDIR(info.st_mode)) return invalid("is a folder, not a library");
  // Opening a pipe would wait for a writer.
  return S_ISREG(info.st_mode) ? Status() : invalid("is no file, but a device, a pipe or a socket");
}

class Bytes {
 public:
  explicit Bytes(const std::string& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    struct stat info {};
    if (is_open() && ::fstat(file_, &info) == 0 && S_ISREG(info.st_mode))
      size_ = static_cast<uint64_t>(info.st_size);
  }
  ~Bytes() {
    if (is_open()) ::close(file_);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  bool is_open() const { return file_ >= 0; }
  uint64_t size() const { return size_; }
  bool has(uint64_t offset, uint64_t bytes) const { return offset <= size_ && size_ - offset >= bytes; }
  bool read(uint64_t offset, void* into, uint64_t bytes) const {
    return has(offset, bytes) &&
           ::pread(file_, into, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
  }

 private:
  int file_;
  uint64_t size_ = 0;
};

Status cut_short(const Bytes& bytes, uint64_t wanted) {
  return invalid(fmt::format("is cut short: it has {} bytes, wanted {}", bytes.size(), wanted));
}

Status check_header(const Bytes& bytes, Elf64_Ehdr& header) {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  if (bytes.size() == 0) return invalid("is no plugin that can be loaded: it is empty");
  char magic[SELFMAG];
  if (!bytes.read(0, magic, sizeof magic) || std::memcmp(magic, ELFMAG, SELFMAG) != 0)
    return invalid("is no plugin that can be loaded: it is no ELF library");
  if (!bytes.read(0, &header, sizeof header)) return cut_short(bytes, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != (kLittle ? ELFDATA2LSB : ELFDATA2MSB))
    return invalid("is a library for machines of another word size or byte order");
  if (kMachine != EM_NONE && header.e_machine != kMachine)
    return invalid(fmt::format("is a library for {}, this machine is {}", machine_name(header.e_machine),
                               machine_name(kMachine)));
  if (header.e_type != ET_DYN) return invalid("is no shared library, but a program or an object file");
  return header.e_phentsize == sizeof(Elf64_Phdr) ? Status() : invalid("has a damaged ELF header");
}

Result<std::vector<Elf64_Phdr>> read_segments(const Bytes& bytes, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  const uint64_t size = segments.size() * sizeof(Elf64_Phdr);
  if (!bytes.read(header.e_phoff, segments.data(), size)) return cut_short(bytes, header.e_phoff + size);
  for (const Elf64_Phdr& segment : segments)
    if (segment.p_type == PT_LOAD && !bytes.has(segment.p_offset, segment.p_filesz))
      return cut_short(bytes, segment.p_offset + segment.p_filesz);
  return segments;
}

uint64_t padded(uint64_t bytes) { return (bytes + 3) / 4 * 4; }

// Owner and description follow the head of a note, each padded to 4 bytes.
void add_notes(const std::string& text, std::vector<ElfNote>& notes) {
  Elf64_Nhdr head;
  for (uint64_t at = 0; text.size() - at >= sizeof head;) {
    std::memcpy(&head, text.data() + at, sizeof head);
    const uint64_t owner = at + sizeof head, description = owner + padded(head.n_namesz);
    if (head.n_namesz == 0 || description + head.n_descsz > text.size()) return;
    notes.push_back({std::string(text, owner, head.n_namesz - 1), head.n_type,
                     std::string(text, description, head.n_descsz)});
    at = std::min<uint64_t>(description + padded(head.n_descsz), text.size());
  }
}

}  // namespace

Result<ElfFile> ElfFile::read(const std::string& path) {
  PLAIT_TRY(check_place(path));
  const Bytes bytes(path);
  if (!bytes.is_open()) return {Code::kIo, fmt::format("cannot be read: {}", std::strerror(errno))};
  Elf64_Ehdr header;
  PLAIT_TRY(check_header(bytes, header));
  PLAIT_ASSIGN(const std::vector<Elf64_Phdr> segments, read_segments(bytes, header));
  ElfFile file;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMostNotes_bytes) continue;
    std::string text(segment.p_filesz, '\0');
    if (bytes.read(segment.p_offset, text.data(), text.size())) add_notes(text, file.notes);
  }
  return file;
}

}  // namespace plait::inline registry
