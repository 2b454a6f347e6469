// What a plugin's file says of itself before any of its code runs: ELF headers and the note.
#include "registry/note.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static plait::fuzz::ScratchFile file;
  const auto elf = plait::ElfFile::read(file.hold(data, size));
  if (!elf) return 0;
  const auto note = plait::note_of(*elf);
  if (note) static_cast<void>(plait::check_note(*note).message() + std::to_string(note->serves().size()));
  return 0;
}
