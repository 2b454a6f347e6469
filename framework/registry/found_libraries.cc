#include "registry/found_libraries.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "registry/known_loads.h"
#include "registry/plugin_entry.h"
#include "registry/trial.h"

namespace plait::inline registry {
namespace {

bool anyone_may_write(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IWOTH) != 0;
}

Result<std::vector<std::string>> plugins_in(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator(folder, error);
  if (error) {
    const bool missing = error == std::errc::no_such_file_or_directory;
    return {missing ? Code::kNotFound : Code::kIo, fmt::format("folder \"{}\": {}", folder, error.message())};
  }
  if (anyone_may_write(folder))
    return {Code::kInvalid,
            fmt::format("folder \"{}\": anyone may write to it, so nothing is loaded from it", folder)};
  return libraries_in(folder);
}

Status named(const std::string& path, const Status& failure) {
  return failure ? failure : Status(failure.code(), fmt::format("\"{}\" {}", path, failure.message()));
}

FoundLibrary look_at(const std::string& path, bool is_named) {
  FoundLibrary found{path, is_named, {}, {}};
  // Who names a file has chosen it.
  if (!is_named && anyone_may_write(path)) {
    found.refusal = {Code::kInvalid, fmt::format("\"{}\" is not loaded: anyone may write to it", path)};
    return found;
  }
  const auto file = ElfFile::read(path);
  if (!file) return found.refusal = named(path, file.status()), found;
  found.note = note_of(*file);
  if (found.note) found.refusal = named(path, check_note(*found.note));
  return found;
}

bool loads(const std::string& path) {
  const auto library = Library::open(path);
  return library && checked_plugin_of(*library);
}

// What trials in this process have shown, good and bad, by identity of the file.
class Shown {
 public:
  const LoadTrial* find(const std::string& identity) const {
    const auto found = trials_.find(identity);
    return found == trials_.end() ? nullptr : &found->second;
  }
  void add(const std::string& identity, const LoadTrial& trial) { trials_[identity] = trial; }

  static std::mutex mutex;
  static Shown& instance() {
    static Shown shown;
    return shown;
  }

 private:
  std::map<std::string, LoadTrial> trials_;
};
std::mutex Shown::mutex;

struct NewLibrary {
  FoundLibrary* library;
  std::string identity;
};

void refuse_where_crashed(FoundLibrary& library, const LoadTrial& trial) {
  if (trial.outcome == LoadTrial::Outcome::kCrashed)
    library.refusal = {Code::kPlugin, fmt::format("\"{}\" {}", library.path, trial.reason)};
}

// Those that no trial has shown yet; what is shown already, is told.
std::vector<NewLibrary> new_ones(std::vector<FoundLibrary>& libraries, const Shown& shown) {
  std::vector<NewLibrary> unknown;
  for (FoundLibrary& library : libraries) {
    const auto identity = file_identity(library.path);
    if (!library.refusal || !identity) continue;
    if (const LoadTrial* trial = shown.find(*identity))
      refuse_where_crashed(library, *trial);
    else
      unknown.push_back({&library, *identity});
  }
  return unknown;
}

void leave_out_known(std::vector<NewLibrary>& unknown, const KnownLoads& known, Shown& shown) {
  std::erase_if(unknown, [&](const NewLibrary& one) {
    if (!known.has(one.identity)) return false;
    shown.add(one.identity, {LoadTrial::Outcome::kGood, ""});
    return true;
  });
}

}  // namespace

FoundLibraries find_libraries(const SearchPath& path) {
  FoundLibraries found;
  for (const std::string& file : path.files) found.libraries.push_back(look_at(file, true));
  for (const std::string& folder : path.folders) {
    const auto paths = plugins_in(folder);
    if (!paths) {
      found.folders.push_back({folder, paths.status(), {}});
      continue;
    }
    for (const std::string& file : *paths) found.libraries.push_back(look_at(file, false));
  }
  return found;
}

void try_new_libraries(std::vector<FoundLibrary>& libraries, const LoadOptions& options) {
  if (!options.in_child_first) return;
  const std::lock_guard lock(Shown::mutex);
  Shown& shown = Shown::instance();
  std::vector<NewLibrary> unknown = new_ones(libraries, shown);
  if (unknown.empty()) return;
  KnownLoads known(KnownLoads::default_file(), host_identity());
  if (options.use_cache) leave_out_known(unknown, known, shown);
  std::vector<std::string> paths, good, bad;
  for (const NewLibrary& one : unknown) paths.push_back(one.library->path);
  const std::vector<LoadTrial> trials = try_in_child(paths, loads, options.limit_s);
  for (size_t i = 0; i < unknown.size(); ++i) {
    shown.add(unknown[i].identity, trials[i]);
    refuse_where_crashed(*unknown[i].library, trials[i]);
    (trials[i].outcome == LoadTrial::Outcome::kGood ? good : bad).push_back(unknown[i].identity);
  }
  known.record(good, bad);
}

}  // namespace plait::inline registry
