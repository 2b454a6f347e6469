// registry/: finds, loads, checks and lists plugins. The only folder that opens shared libraries.
//
// No type is known to the framework by name: everything below comes from the tables of the libraries found.
#pragma once
#include <plait/abi.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/library.h"

namespace plait {

// A library that loaded and passed the checks.
struct PluginFile {
  std::string path;
  std::string sha256;  // of the file
  const plait_plugin* plugin;
};

// A library that did not, and why.
struct PluginFailure {
  std::string path;
  Status reason;
};

struct TypeEntry {
  const plait_type* type;
  const PluginFile* file;
  std::map<std::string, const plait_implementation*> implementations;  // by device id; of any library
  // What follows the prefix of the short names, or the id itself.
  std::string short_name() const;
};

// Where to look, in order of precedence: files first, then folders in order. A type id that two libraries
// define is an error that names both, unless the two files are the same plugin id, in which case the earlier
// place wins.
struct SearchPath {
  std::vector<std::string> files;  // --plugin, plugin: fields; one that does not load is an error
  std::vector<std::string>
      folders;  // plugin_path, PLAIT_PLUGIN_PATH, user's, prefix; only *.plait.so are looked at
};

// files + `folders` + PLAIT_PLUGIN_PATH (parted by ':') + $XDG_DATA_HOME/plait/plugins/1 (~/.local/share
// without it) + <program>/../lib/plait/plugins. The last two only where they exist.
SearchPath default_search_path(std::vector<std::string> files, std::vector<std::string> folders);

// Threads: load [setup only]; everything else [any].
class Registry {
 public:
  // Loads everything on the path. Into failures(), and no error, go: a library in a folder that does not
  // load; a folder that is not there; a folder, or a library in one, that anyone may write to (nothing of it
  // is loaded); an implementation of a type that no library defines. Fails with: kInvalid/kNotFound when a
  // file in path.files does not load, or an id is defined twice. A library is refused when: it does not
  // export plait_plugin_v1 ("is not a Plait plugin"), exports only another major (plait_plugin_v2 ...), was
  // built for another draft, needs a newer minor, has tables that contradict themselves (null id, unknown
  // kind, default outside its range, field names twice, no doc, operations missing), or throws or returns
  // null. A library's entry is called once a process, whatever the number of registries.
  static Result<Registry> load(const SearchPath& path);
  // The same from tables that are part of the program: for tests of what is built on a registry.
  static Result<Registry> from_plugins(const std::vector<const plait_plugin*>& plugins);

  const std::map<std::string, TypeEntry>& types() const { return types_; }  // by id
  // By id or short name; null when there is none.
  const TypeEntry* find(const std::string& name) const;
  // Operations of a type on a device. `Ops` is the kind's table.
  // Fails with: kNotFound naming the devices that have one.
  Result<const void*> implementation(const std::string& type_id, const std::string& device_id) const;
  template <class Ops>
  Result<const Ops*> ops(const std::string& type_id, const std::string& device_id = PLAIT_HOST_DEVICE) const {
    auto found = implementation(type_id, device_id);
    if (!found) return found.status();
    return static_cast<const Ops*>(*found);
  }
  const std::vector<std::unique_ptr<PluginFile>>& files() const { return files_; }
  const std::vector<PluginFailure>& failures() const { return failures_; }

 private:
  Status add_file(const std::string& path);
  Status add_folder(const std::string& folder);
  Status add_from_folder(const std::string& path);
  Status adopt(std::unique_ptr<PluginFile> file, Library library);
  Status add_types(const PluginFile& file);
  Status add_implementations();
  Status add_implementation(const PluginFile& file, const plait_implementation& made);
  std::map<std::string, TypeEntry> types_;
  std::vector<std::unique_ptr<PluginFile>> files_;
  std::vector<PluginFailure> failures_;
  std::vector<Library> libraries_;
  bool conflict_ = false;  // an id was defined twice
};

// What a mistyped `name` may have meant: the nearest of `candidates` within a third of its length (the first
// of equally near ones), else the only one that begins so ("conv": "convolution"), or "". Large and small
// letters are the same.
std::string did_you_mean(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace plait
