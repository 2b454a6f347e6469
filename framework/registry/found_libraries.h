// What is on a search path, looked at and tried before anything of it is loaded.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "registry/note.h"
#include "registry/registry.h"

namespace plait::inline registry {

struct FoundLibrary {
  std::string path;
  bool is_named = false;  // by itself; else it was found in a folder
  Status refusal;         // why it is not to be loaded; ok: nothing speaks against it
  std::optional<PluginNote> note;
  // Of a folder's libraries those of kernels for devices wait until such a device is in use.
  bool waits() const { return !is_named && note && note->is_for_devices(); }
};

struct FoundLibraries {
  std::vector<FoundLibrary> libraries;  // in order of precedence
  std::vector<PluginFailure> folders;   // that nothing is loaded from
};

// Looks at every library of the path: where it is, its ELF header, its note. Runs nothing of it.
FoundLibraries find_libraries(const SearchPath& path);

// Loads those that nothing speaks against, and that have not been seen to load, in a child process; those
// that end it are refused from then on, for as long as this process lives. Those that load are remembered
// (known_loads.h).
void try_new_libraries(std::vector<FoundLibrary>& libraries, const LoadOptions& options);

}  // namespace plait::inline registry
