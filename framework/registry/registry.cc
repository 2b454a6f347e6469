#include "registry/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "registry/check.h"
#include "registry/found_libraries.h"
#include "registry/output_aside.h"
#include "registry/plugin_entry.h"

namespace plait {
namespace {

Status invalid(const std::string& path, const std::string& why) {
  return {Code::kInvalid, fmt::format("\"{}\" {}", path, why)};
}

}  // namespace

std::string TypeEntry::short_name() const {
  constexpr std::string_view kOwn = "plait.";
  const std::string id = type->id;
  return id.starts_with(kOwn) ? id.substr(kOwn.size()) : id;
}

Result<Registry> Registry::load(const SearchPath& path, const LoadOptions& options) {
  FoundLibraries found = find_libraries(path);
  try_new_libraries(found.libraries, options);
  Registry registry;
  const OutputAside aside;
  for (const FoundLibrary& library : found.libraries) PLAIT_TRY(registry.add(library));
  for (PluginFailure& folder : found.folders) registry.failures_.push_back(std::move(folder));
  PLAIT_TRY(registry.add_implementations());
  return registry;
}

void try_libraries(const SearchPath& path, const LoadOptions& options) {
  FoundLibraries found = find_libraries(path);
  try_new_libraries(found.libraries, options);
}

Status Registry::add(const FoundLibrary& found) {
  Status status = found.refusal ? add_file(found.path) : found.refusal;
  // An id defined twice is no fault of one library: the job could mean either.
  if (status || found.is_named || conflict_) return status;
  failures_.push_back(
      {found.path, std::move(status), found.note ? found.note->serves() : std::vector<std::string>()});
  return {};
}

Status Registry::add_file(const std::string& path) {
  PLAIT_ASSIGN(auto library, Library::open(path));
  PLAIT_ASSIGN(const plait_plugin* plugin, checked_plugin_of(library));
  PLAIT_ASSIGN(auto sha256, Sha256::hex_of_file(path));
  auto file = std::make_unique<PluginFile>(PluginFile{path, std::move(sha256), plugin});
  return adopt(std::move(file), std::move(library));
}

Status Registry::adopt(std::unique_ptr<PluginFile> file, Library library) {
  const std::string id = file->plugin->id;
  const auto same = [&](const auto& other) { return other->plugin->id == id; };
  // The earlier place wins.
  if (const auto by = std::find_if(files_.begin(), files_.end(), same); by != files_.end()) {
    shadowed_.push_back({file->path, file->plugin, by->get()});
    return {};
  }
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
    failures_.push_back({file.path, fails("which no library defines"), {}});
    return {};
  }
  if (auto complete = check_operations(*entry->second.type, made.ops); !complete) {
    failures_.push_back({file.path, fails("by " + complete.message()), {}});
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

std::string Registry::who_would_provide(const std::string& name) const {
  for (const PluginFailure& failure : failures_) {
    for (const std::string& served : failure.serves) {
      const std::string id = served.substr(served.find(' ') + 1);  // after the kind
      if (id == name || id == "plait." + name)
        return fmt::format("\"{}\" is provided by \"{}\", which did not load: {}", name, failure.path,
                           failure.reason.message());
    }
  }
  return "";
}

Result<const void*> Registry::implementation(const std::string& type_id, const std::string& device_id) const {
  const TypeEntry* entry = find(type_id);
  if (entry == nullptr) {
    const std::string hint = who_would_provide(type_id);
    return {Code::kNotFound,
            fmt::format("there is no plugin type {}{}", type_id, hint.empty() ? "" : ": " + hint)};
  }
  const auto& made = entry->implementations;
  if (const auto found = made.find(device_id); found != made.end()) return found->second->ops;
  std::vector<std::string> devices;
  for (const auto& [device, implementation] : made) devices.push_back(device);
  return {Code::kNotFound,
          fmt::format("{} has no implementation for device {}, only for {}", type_id, device_id,
                      devices.empty() ? "none" : fmt::format("{}", fmt::join(devices, ", ")))};
}

}  // namespace plait
