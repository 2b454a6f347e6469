#include "registry/registry.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <mutex>

#include "base/sha256.h"
#include "registry/check.h"
#include "registry/config.h"

namespace plait {
namespace {

constexpr const char kSuffix[] = ".plait.so";

Status invalid(const std::string& path, const std::string& why) {
  return {Code::kInvalid, fmt::format("\"{}\" {}", path, why)};
}

// The entry of another major is evidence that it is a plugin, but not one of ours.
Status no_entry(const Library& library) {
  for (int major = 0; major < 100; ++major) {
    if (library.symbol(fmt::format("plait_plugin_v{}", major).c_str()) != nullptr) {
      return invalid(library.path(), fmt::format("is a plugin for ABI major {}, this Plait has major {}",
                                                 major, PLAIT_ABI_MAJOR));
    }
  }
  return invalid(library.path(),
                 fmt::format("is not a Plait plugin: it does not export {}", PLAIT_PLUGIN_SYMBOL));
}

Result<const plait_plugin*> call_entry(const Library& library, plait_plugin_v1_fn entry) {
  std::string thrown;
  try {
    if (const plait_plugin* plugin = entry(&host_table())) return plugin;
    return invalid(library.path(), fmt::format("refuses this Plait ({})", host_table().version));
  } catch (const std::exception& exception) {
    thrown = exception.what();
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  return Status(Code::kPlugin,
                fmt::format("\"{}\" let an exception out of its entry: {}", library.path(), thrown));
}

// Entries are called once: what they answered is kept for the life of the process, as the library is.
Result<const plait_plugin*> plugin_of(const Library& library) {
  static std::mutex mutex;
  static std::map<plait_plugin_v1_fn, const plait_plugin*> answers;
  const auto entry = reinterpret_cast<plait_plugin_v1_fn>(library.symbol(PLAIT_PLUGIN_SYMBOL));
  if (entry == nullptr) return no_entry(library);
  std::lock_guard lock(mutex);
  if (auto known = answers.find(entry); known != answers.end()) return known->second;
  auto plugin = call_entry(library, entry);
  if (plugin) answers[entry] = *plugin;
  return plugin;
}

Result<const plait_plugin*> checked_plugin_of(const Library& library) {
  PLAIT_ASSIGN(const plait_plugin* plugin, plugin_of(library));
  for (const Status& status : {check_version(*plugin), check_tables(*plugin)}) {
    if (!status) return invalid(library.path(), status.message());
  }
  return plugin;
}

bool anyone_may_write(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IWOTH) != 0;
}

Result<std::vector<std::string>> plugins_in(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().native().ends_with(kSuffix)) paths.push_back(entry->path());
  }
  if (error) {
    const bool missing = error == std::errc::no_such_file_or_directory;
    return {missing ? Code::kNotFound : Code::kIo, fmt::format("folder \"{}\": {}", folder, error.message())};
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::string TypeEntry::short_name() const {
  constexpr std::string_view kOwn = "plait.";
  const std::string id = type->id;
  return id.starts_with(kOwn) ? id.substr(kOwn.size()) : id;
}

Result<Registry> Registry::load(const SearchPath& path) {
  Registry registry;
  for (const auto& file : path.files) PLAIT_TRY(registry.add_file(file));
  for (const auto& folder : path.folders) PLAIT_TRY(registry.add_folder(folder));
  PLAIT_TRY(registry.add_implementations());
  return registry;
}

Status Registry::add_file(const std::string& path) {
  PLAIT_ASSIGN(auto library, Library::open(path));
  PLAIT_ASSIGN(const plait_plugin* plugin, checked_plugin_of(library));
  PLAIT_ASSIGN(auto sha256, Sha256::hex_of_file(path));
  auto file = std::make_unique<PluginFile>(PluginFile{path, std::move(sha256), plugin});
  return adopt(std::move(file), std::move(library));
}

Status Registry::add_folder(const std::string& folder) {
  auto paths = plugins_in(folder);
  if (paths && anyone_may_write(folder)) {
    paths =
        Status(Code::kInvalid,
               fmt::format("folder \"{}\": anyone may write to it, so nothing is loaded from it", folder));
  }
  if (!paths) {
    failures_.push_back({folder, paths.status()});
    return {};
  }
  for (const auto& path : *paths) PLAIT_TRY(add_from_folder(path));
  return {};
}

Status Registry::add_from_folder(const std::string& path) {
  Status status =
      anyone_may_write(path) ? invalid(path, "is not loaded: anyone may write to it") : add_file(path);
  // An id defined twice is no fault of one library: the job could mean either.
  if (status || conflict_) return status;
  failures_.push_back({path, std::move(status)});
  return {};
}

Status Registry::adopt(std::unique_ptr<PluginFile> file, Library library) {
  const std::string id = file->plugin->id;
  const auto same = [&](const auto& other) { return other->plugin->id == id; };
  if (std::any_of(files_.begin(), files_.end(), same)) return {};  // the earlier place wins
  PLAIT_TRY(add_types(*file));
  files_.push_back(std::move(file));
  libraries_.push_back(std::move(library));
  return {};
}

Status Registry::add_types(const PluginFile& file) {
  for (uint32_t i = 0; i < file.plugin->n_types; ++i) {
    const plait_type* type = file.plugin->types[i];
    const auto [entry, is_new] = types_.try_emplace(type->id, TypeEntry{type, &file, {}});
    if (is_new) continue;
    conflict_ = true;
    return {Code::kInvalid, fmt::format("type {} is defined by \"{}\" and by \"{}\"", type->id,
                                        entry->second.file->path, file.path)};
  }
  return {};
}

// After all types are known, since a library may implement what another defines.
Status Registry::add_implementations() {
  for (const auto& file : files_) {
    for (uint32_t i = 0; i < file->plugin->n_implementations; ++i) {
      PLAIT_TRY(add_implementation(*file, *file->plugin->implementations[i]));
    }
  }
  return {};
}

Status Registry::add_implementation(const PluginFile& file, const plait_implementation& made) {
  const auto fails = [&](const std::string& why) {
    return invalid(file.path, fmt::format("implements {} on {}, {}", made.type_id, made.device_id, why));
  };
  const auto entry = types_.find(made.type_id);
  if (entry == types_.end()) {
    failures_.push_back({file.path, fails("which no library defines")});
    return {};
  }
  if (auto complete = check_ops(entry->second.type->kind, made.ops); !complete) {
    failures_.push_back({file.path, fails("by " + complete.message())});
    return {};
  }
  const bool is_new = entry->second.implementations.emplace(made.device_id, &made).second;
  return is_new ? Status() : fails("which another library does too");
}

const TypeEntry* Registry::find(const std::string& name) const {
  auto found = types_.find(name);
  if (found == types_.end()) found = types_.find("plait." + name);
  return found == types_.end() ? nullptr : &found->second;
}

Result<const void*> Registry::implementation(const std::string& type_id, const std::string& device_id) const {
  const TypeEntry* entry = find(type_id);
  if (entry == nullptr) return {Code::kNotFound, fmt::format("there is no plugin type {}", type_id)};
  const auto& made = entry->implementations;
  if (const auto found = made.find(device_id); found != made.end()) return found->second->ops;
  std::vector<std::string> devices;
  for (const auto& [device, implementation] : made) devices.push_back(device);
  return {Code::kNotFound,
          fmt::format("{} has no implementation for device {}, only for {}", type_id, device_id,
                      devices.empty() ? "none" : fmt::format("{}", fmt::join(devices, ", ")))};
}

}  // namespace plait
