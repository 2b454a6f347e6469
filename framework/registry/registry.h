// registry/: finds, loads, checks and lists plugins. The only folder that opens shared libraries.
//
// No type is known to the framework by name: everything below comes from the tables of the libraries found.
#pragma once
#include <plait/abi.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/library.h"
#include "base/status.h"
#include "registry/kind_of.h"

namespace plait::inline registry {

struct FoundLibrary;

// A library that loaded and passed the checks.
class PluginFile {
 public:
  // Of the program itself.
  PluginFile(std::string name, const plait_plugin* its_plugin)
      : path(std::move(name)), plugin(its_plugin), is_in_file_(false) {}
  // `identity`: file_identity before it was loaded.
  PluginFile(std::string its_path, const plait_plugin* its_plugin, std::optional<std::string> identity)
      : path(std::move(its_path)), plugin(its_plugin), is_in_file_(true), identity_(std::move(identity)) {}
  // Of the file, found when it is asked for first (known_digests.h): most commands never ask, and where it is
  // not known it takes longer than loading.
  // "": there is no file; "unknown, ..." where it cannot be read, or is not the one that was loaded.
  // Threads: [any].
  const std::string& sha256() const;
  // The same, where the file's digest has been found out already.
  const std::string& sha256(const Result<std::string>& digest) const;

  const std::string path;
  const plait_plugin* const plugin;

 private:
  std::string text_of(const Result<std::string>& digest) const;

  const bool is_in_file_;
  const std::optional<std::string> identity_;
  mutable std::once_flag is_read_;
  mutable std::string sha256_;
};

// A library that did not, and why.
struct PluginFailure {
  std::string path;
  Status reason;
  std::vector<std::string> serves;  // what its note says it would: see PluginNote::serves
};

// A library whose plugin an earlier place of the path has already.
struct ShadowedFile {
  std::string path;
  const plait_plugin* plugin;
  const PluginFile* by;
};

// Types of several kinds may share an id: a layer and an augmenter that crop.
struct TypeName {
  std::string id, kind;
  friend auto operator<=>(const TypeName&, const TypeName&) = default;
};

struct TypeEntry {
  const plait_type* type;
  const PluginFile* file;
  std::map<std::string, const plait_implementation*> implementations;  // by device id; of any library
  // What follows the prefix of the short names, or the id itself.
  std::string short_name() const;
};

// Where to look, in order of precedence: files first, then folders in order. A type (kind and id) that two
// libraries define is an error that names both, unless the two files are the same plugin id, in which case
// the earlier place wins.
struct SearchPath {
  std::vector<std::string> files;  // --plugin, plugin: fields; one that does not load is an error
  std::vector<std::string>
      folders;  // plugin_path, PLAIT_PLUGIN_PATH, user's, prefix; only *.plait.so are looked at
};

// files + `folders` + PLAIT_PLUGIN_PATH (parted by ':') + $XDG_DATA_HOME/plait/plugins/1 (~/.local/share
// without it) + <program>/../lib/plait/plugins. The last two only where they exist.
SearchPath default_search_path(std::vector<std::string> files, std::vector<std::string> folders);

// How libraries are loaded.
struct LoadOptions {
  // A library that has not been seen to load is loaded in a child process first (trial.h): one that crashes,
  // ends the program or does not come back is a failure like any other. False: for a process that is itself
  // on trial.
  bool in_child_first = true;
  bool use_cache = true;  // false: what earlier processes saw to load (known_loads.h) is tried again
  double limit_s = 10;    // for one library in the child
};

// Tries what load(path) would load at once and has not been seen to load. What this finds out, load tells: to
// be called where threads or MPI are started between the two, since load then makes no process. Threads:
// [setup only]
void try_libraries(const SearchPath& path, const LoadOptions& options = {});

// The *.plait.so in a folder, sorted; none where the folder cannot be read.
std::vector<std::string> libraries_in(const std::string& folder);
// The files of a path, then those in its folders.
std::vector<std::string> libraries_on(const SearchPath& path);

// Threads: load [setup only]; everything else [any].
class Registry {
 public:
  // Loads everything on the path, but libraries in folders whose note says that they hold nothing but
  // implementations for devices: those wait for use_device. Into failures(), and no error, go: a library in a
  // folder that does not load; a folder that is not there; a folder, or a library in one, that anyone may
  // write to (nothing of it is loaded); an implementation of a type that no library defines. Fails with:
  // kInvalid/kNotFound/kPlugin when a file in path.files does not load, or a type is defined twice. A library
  // is refused when: it is no ELF library for this machine or cut short; its note says that it is for another
  // draft or needs a newer minor (both before any of its code runs); it crashes, ends the program or does not
  // come back (in a child process); it does not export plait_plugin_v1 ("is not a Plait plugin"), exports
  // only another major (plait_plugin_v2 ...), was built for another draft, needs a newer minor, has tables
  // that contradict themselves (null id, unknown kind, default outside its range, field names twice, no doc,
  // operations missing), or throws or returns null. A library's entry is called once a process, whatever the
  // number of registries. What libraries print while they load goes to standard error.
  static Result<Registry> load(const SearchPath& path, const LoadOptions& options = {});
  // The same from tables that are part of the program: for tests of what is built on a registry.
  static Result<Registry> from_plugins(const std::vector<const plait_plugin*>& plugins);
  Registry();
  ~Registry();
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;

  // Loads the libraries that wait and serve this device. In a child process first, as load does. One that
  // does not load is a failure, and no error. Fails with: kInvalid where two libraries implement the same.
  // Threads: [setup only]
  Status use_device(const std::string& device_id, const LoadOptions& options = {});
  struct Waiting {
    std::string path, id, version;  // the latter two as their notes say
  };
  // Libraries that wait.
  std::vector<Waiting> waiting() const;

  const std::map<TypeName, TypeEntry>& types() const { return types_; }  // by id, then kind
  // By id or short name; null when there is none of this kind.
  const TypeEntry* find(const std::string& kind, const std::string& name) const;
  // Of every kind, in the order of the table of kinds.
  std::vector<const TypeEntry*> named(const std::string& name) const;
  // Operations of a type on a device. `Ops` is the kind's table.
  // Fails with: kNotFound naming the devices that have one.
  Result<const void*> implementation(const std::string& kind, const std::string& type_id,
                                     const std::string& device_id) const;
  template <class Ops>
  Result<const Ops*> ops(const std::string& type_id, const std::string& device_id = PLAIT_HOST_DEVICE) const {
    auto found = implementation(kKindOf<Ops>, type_id, device_id);
    if (!found) return found.status();
    return static_cast<const Ops*>(*found);
  }
  const std::vector<std::unique_ptr<PluginFile>>& files() const { return files_; }
  const std::vector<PluginFailure>& failures() const { return failures_; }
  const std::vector<ShadowedFile>& shadowed() const { return shadowed_; }
  // `"acme.swish" is provided by "FILE", which did not load: ...` when a failure's note says so, else "". By
  // id or short name; of this kind, or of any where it is ""; with a device, of an implementation on it.
  std::string who_would_provide(const std::string& kind, const std::string& name,
                                const std::string& device_id = "") const;

 private:
  Status add(const FoundLibrary& found);
  Status add_file(const std::string& path);
  Status adopt(std::unique_ptr<PluginFile> file, Library library);
  Status add_types(const PluginFile& file);
  Status add_implementations(size_t first_file = 0);
  Status add_implementation(const PluginFile& file, const plait_implementation& made);
  std::vector<TypeEntry*> implemented_types(const std::string& kind, const std::string& id);
  std::map<TypeName, TypeEntry> types_;
  std::vector<std::unique_ptr<PluginFile>> files_;
  std::vector<PluginFailure> failures_;
  std::vector<ShadowedFile> shadowed_;
  std::vector<FoundLibrary> waiting_;
  std::vector<Library> libraries_;
  bool conflict_ = false;  // a type was defined twice
};

// What a mistyped `name` may have meant: the nearest of `candidates` within a third of its length (the first
// of equally near ones), else the only one that begins so, "conv", or ends so, "pool" for "max_pool"; or "".
// Large and small letters are the same. Of more than 10,000 candidates none.
std::string did_you_mean(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace plait::inline registry
