// What a library says of itself in its ELF note (<plait/note.h>): read without running any of its code.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/elf_file.h"

namespace plait::inline registry {

struct PluginNote {
  struct Type {
    std::string kind, id;
  };
  struct Implementation {
    std::string kind;  // "": the note does not say
    std::string type_id, device_id;
  };
  unsigned abi_major = 0, abi_minor = 0, abi_draft = 0, min_host_minor = 0;
  std::string id, version;  // "" when the author's text did not hold them literally
  std::vector<Type> types;
  std::vector<Implementation> implementations;  // of other libraries' types
  bool complete = true;                         // false: the tables hold more than is named here
  // Nothing but implementations, and none of them on the host: needed when one of their devices is in use.
  bool is_for_devices() const;
  bool serves_device(const std::string& device_id) const;
  // Types, and what is only implemented, as "layer acme.swish" and "layer acme.swish on acme.gpu".
  std::vector<std::string> serves() const;
};

// Nothing when the library has no note, or one that says what no note of this age says.
std::optional<PluginNote> note_of(const ElfFile& file);

// Whether this host can live with what the note says, in the words of check_version.
// Fails with: kInvalid.
Status check_note(const PluginNote& note);

}  // namespace plait::inline registry
