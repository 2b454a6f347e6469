// Sources that open files which a person names alone, as `plait predict --in FILE` does. Not part of
// <plait/sdk.hpp>.
//
//   constexpr const char* kEndings[] = {".wav"};
//   constexpr GivenFiles kFiles = {.endings = kEndings, .magic = "RIFF", .file = "sound", .part = "part"};
//   PLAIT_PLUGIN("acme.wav", "1.0.0", "Apache-2.0", opens_files<kFiles>(source<Wav>("acme.wav")));
//
// The host fills the fields that are named here, and leaves the others at their defaults: with "part" the
// part has the name that the network reads. What each field has to be: <plait/given_file.h>.
#pragma once
#include <plait/given_file.h>

#include <span>
#include <string_view>

#include "entry.hpp"

namespace plait::sdk {

struct GivenFiles {
  std::span<const char* const> endings = {};  // ".wav": a dot, small letters, digits, - and further dots
  std::string_view magic = {};                // what each of them begins with; empty: nothing is sure
  bool table = false;                         // rows of numbers in a text
  // Names of fields; null: the source has none.
  const char* file = nullptr;     // wanted: a path()
  const char* part = nullptr;     // name of the part
  const char* shape = nullptr;    // extents of the part, a list of whole numbers
  const char* dtype = nullptr;    // type of its elements, choices of "u8", "i32", "f32", ...
  const char* heading = nullptr;  // of tables: choices of "true", "false", "auto"
  bool lines = false;  // a text's lines, as u8 of one variable axis; shape: the longest, one number
};

// `made`, a source, opens such files.
template <const GivenFiles& kFiles>
Entry opens_files(Entry made) {
  static_assert(!kFiles.endings.empty(), "wanted an ending at least, such as \".wav\"");
  static_assert(kFiles.file != nullptr, "wanted the name of the field of the file");
  static const plait_source_rules rules = {
      sizeof(plait_source_rules),
      (kFiles.table ? uint32_t{PLAIT_SOURCE_TABLE} : 0u) | (kFiles.lines ? uint32_t{PLAIT_SOURCE_LINES} : 0u),
      kFiles.endings.data(),
      static_cast<uint32_t>(kFiles.endings.size()),
      0,
      {kFiles.magic.data(), kFiles.magic.size()},
      kFiles.file,
      kFiles.part,
      kFiles.shape,
      kFiles.dtype,
      kFiles.heading};
  made.type.rules = &rules;
  return made;
}

}  // namespace plait::sdk
