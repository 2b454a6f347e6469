#include "registry/elf_file.h"

#include <doctest/doctest.h>
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "registry/note.h"
#include "registry/registry.h"

using namespace plait;
namespace fs = std::filesystem;

namespace {

const std::string kNoted = TEST_LIBRARIES "/noted/noted.plait.so";

// One file in a folder of its own.
class File {
 public:
  File() : folder_(fs::temp_directory_path() / ("plait_elf_file_test_" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~File() { fs::remove_all(folder_); }
  std::string path() const { return folder_ / "a.plait.so"; }
  void write(const std::string& bytes) const {
    fs::remove(path());  // some file systems wait for the disk where a file is cut to nothing
    std::ofstream(path(), std::ios::binary) << bytes;
  }
  std::string refusal() const { return ElfFile::read(path()).status().message(); }

 private:
  fs::path folder_;
};

std::string bytes_of(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the note of a library, read without loading it") {
  const auto file = ElfFile::read(kNoted);
  REQUIRE_MESSAGE(file, file.status().message());
  const auto note = note_of(*file);
  REQUIRE(note);
  CHECK(note->id == "test.noted");
  CHECK(note->version == "2.0.1");
  CHECK(note->abi_draft == PLAIT_ABI_DRAFT);
  CHECK(note->complete);
  CHECK(note->serves() == std::vector<std::string>{"layer test.noted_layer", "loss test.noted_loss",
                                                   "schedule test.line on test.moon"});
  CHECK(check_note(*note));
  const auto without = ElfFile::read(TEST_LIBRARIES "/good/line.plait.so");
  REQUIRE(without);
  CHECK_FALSE(note_of(*without));
}

TEST_CASE("a note of another version is refused in the words of the tables") {
  PluginNote note;
  note.abi_major = PLAIT_ABI_MAJOR + 1;
  CHECK(contains(check_note(note).message(), "is a plugin for ABI major 2, this Plait has major 1"));
  note.abi_major = PLAIT_ABI_MAJOR, note.abi_draft = 999;
  CHECK(contains(check_note(note).message(), "was built for draft 999"));
  note.abi_draft = PLAIT_ABI_DRAFT, note.min_host_minor = 777;
  CHECK(contains(check_note(note).message(), "needs a Plait of ABI 1.777 or newer"));
}

TEST_CASE("lines of a later age are passed over; what is no note is none") {
  const auto read = [](const std::string& text) { return note_of({{{"Plait", 1, text}}}); };
  const auto note = read("abi 1.7 draft 0 needs 2\nlicense of later\nlayer a.b c d\n\x1b[31m x\nmore\n\n");
  REQUIRE(note);
  CHECK(note->min_host_minor == 2);
  CHECK(note->abi_minor == 7);
  CHECK_FALSE(note->complete);
  CHECK(note->serves() == std::vector<std::string>{"license of", "layer a.b"});
  for (const char* text :
       {"", "abi", "abi 1.x draft 1 needs 0\n", "layer a.b\n", "abi 99999999999999.0 draft 1 needs 0\n"})
    CHECK_FALSE(read(text));
  CHECK_FALSE(note_of({{{"Other", 1, "abi 1.0 draft 1 needs 0\n"}}}));
  CHECK_FALSE(note_of({{{"Plait", 2, "abi 1.0 draft 1 needs 0\n"}}}));
}

TEST_CASE("what is no library of this machine says so") {
  const File file;
  CHECK(file.refusal() == "is not there: no such file");
  fs::create_symlink("gone", file.path());
  CHECK(file.refusal() == "is a link to \"gone\", which is not there");
  fs::remove(file.path());
  fs::create_directory(file.path());
  CHECK(file.refusal() == "is a folder, not a library");
  fs::remove(file.path());
  REQUIRE(::mkfifo(file.path().c_str(), 0600) == 0);
  CHECK(contains(file.refusal(), "a pipe"));
  fs::remove(file.path());
  file.write("");
  CHECK(contains(file.refusal(), "it is empty"));
  file.write("#!/bin/sh\n");
  CHECK(contains(file.refusal(), "it is no ELF library"));
  const std::string good = bytes_of(kNoted);
  const auto changed = [&](size_t offset, char value) {
    std::string bytes = good;
    bytes[offset] = value;
    file.write(bytes);
    return file.refusal();
  };
  CHECK(changed(EI_CLASS, ELFCLASS32) == "is a library for machines of another word size or byte order");
  CHECK(contains(changed(offsetof(Elf64_Ehdr, e_machine), '\x16'),
                 "is a library for machine 22, this machine is"));
  CHECK(changed(offsetof(Elf64_Ehdr, e_type), ET_REL) ==
        "is no shared library, but a program or an object file");
  CHECK(changed(offsetof(Elf64_Ehdr, e_phentsize), 1) == "has a damaged ELF header");
}

TEST_CASE("a file cut anywhere within what is to be loaded is refused in words, and not by a signal") {
  const File file;
  const std::string good = bytes_of(kNoted);
  int refused = 0;
  for (size_t size = 0; size < good.size(); size += 1 + good.size() / 300) {
    file.write(good.substr(0, size));
    const auto loaded = Registry::load({{file.path()}, {}});  // refuses the host, when it is whole enough
    REQUIRE_FALSE(loaded);
    if (contains(loaded.status().message(), "cut short") || size < SELFMAG) ++refused;
  }
  CHECK(refused > 100);
}

TEST_CASE("damaged bytes give words or a note, and nothing else") {
  const File file;
  const std::string good = bytes_of(kNoted);
  std::mt19937 draw(7);
  // The headers and the note are at the front.
  const size_t front = std::min<size_t>(good.size(), 1024);
  int with_note = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string bytes = good;
    for (unsigned i = 0; i <= draw() % 4; ++i) bytes[draw() % front] = static_cast<char>(draw());
    file.write(bytes);
    const auto read = ElfFile::read(file.path());
    if (!read) CHECK_FALSE(read.status().message().empty());
    if (read && note_of(*read)) ++with_note;
  }
  CHECK(with_note > 0);
  CHECK(with_note < 3000);
}
