#include "registry/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>

#include "registry/cache_file.h"
#include "registry/check.h"
#include "registry/found_libraries.h"
#include "registry/known_digests.h"
#include "registry/output_aside.h"
#include "registry/plugin_entry.h"

namespace plait::inline registry {
namespace {

Status invalid(const std::string& path, const std::string& why) {
  return {Code::kInvalid, fmt::format("\"{}\" {}", path, why)};
}

std::vector<FoundLibrary> take_waiting(std::vector<FoundLibrary>& libraries) {
  const auto first = std::ranges::stable_partition(libraries, std::not_fn(&FoundLibrary::waits)).begin();
  std::vector<FoundLibrary> waiting(std::make_move_iterator(first), std::make_move_iterator(libraries.end()));
  libraries.erase(first, libraries.end());
  return waiting;
}

}  // namespace

std::string TypeEntry::short_name() const {
  constexpr std::string_view kOwn = "plait.";
  const std::string id = type->id;
  return id.starts_with(kOwn) ? id.substr(kOwn.size()) : id;
}

Registry::Registry() = default;
Registry::~Registry() = default;
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;

Result<Registry> Registry::load(const SearchPath& path, const LoadOptions& options) {
  FoundLibraries found = find_libraries(path);
  Registry registry;
  registry.waiting_ = take_waiting(found.libraries);
  try_new_libraries(found.libraries, options);
  const OutputAside aside;
  for (const FoundLibrary& library : found.libraries) PLAIT_TRY(registry.add(library));
  for (PluginFailure& folder : found.folders) registry.failures_.push_back(std::move(folder));
  PLAIT_TRY(registry.add_implementations());
  return registry;
}

Status Registry::use_device(const std::string& device_id, const LoadOptions& options) {
  const auto first = std::stable_partition(waiting_.begin(), waiting_.end(), [&](const FoundLibrary& one) {
    return !one.note->serves_device(device_id);
  });
  std::vector<FoundLibrary> wanted(std::make_move_iterator(first), std::make_move_iterator(waiting_.end()));
  waiting_.erase(first, waiting_.end());
  try_new_libraries(wanted, options);
  const OutputAside aside;
  const size_t before = files_.size();
  for (const FoundLibrary& library : wanted) PLAIT_TRY(add(library));
  return add_implementations(before);
}

std::vector<Registry::Waiting> Registry::waiting() const {
  std::vector<Waiting> waiting;
  for (const FoundLibrary& library : waiting_)
    waiting.push_back({library.path, library.note->id, library.note->version});
  return waiting;
}

void try_libraries(const SearchPath& path, const LoadOptions& options) {
  FoundLibraries found = find_libraries(path);
  take_waiting(found.libraries);
  try_new_libraries(found.libraries, options);
}

const std::string& PluginFile::sha256() const {
  std::call_once(is_read_, [this] {
    if (is_in_file_) sha256_ = text_of(KnownDigests().of({path}).front());
  });
  return sha256_;
}

const std::string& PluginFile::sha256(const Result<std::string>& digest) const {
  std::call_once(is_read_, [&] {
    if (is_in_file_) sha256_ = text_of(digest);
  });
  return sha256_;
}

std::string PluginFile::text_of(const Result<std::string>& digest) const {
  if (file_identity(path) != identity_) return "unknown, the file has changed since it was loaded";
  return digest ? *digest : "unknown, " + digest.status().message();
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
  std::optional<std::string> identity = file_identity(path);
  PLAIT_ASSIGN(auto library, Library::open(path));
  PLAIT_ASSIGN(const plait_plugin* plugin, checked_plugin_of(library));
  return adopt(std::make_unique<PluginFile>(path, plugin, std::move(identity)), std::move(library));
}

namespace {

// Ok where `of` has every type of the hidden file.
Status serves_no_more(const PluginFile& hidden, const PluginFile& of) {
  const std::span mine(hidden.plugin->types, hidden.plugin->n_types),
      its(of.plugin->types, of.plugin->n_types);
  for (const plait_type* type : mine) {
    const auto is_it = [&](const plait_type* other) {
      return std::string_view(other->id) == type->id && std::string_view(other->kind) == type->kind;
    };
    if (std::ranges::none_of(its, is_it))
      return {Code::kInvalid, fmt::format("\"{}\" is a plugin of the id {}, as \"{}\" is, which hides it and "
                                          "has no {} {}: wanted an id of "
                                          "its own",
                                          hidden.path, hidden.plugin->id, of.path, type->kind, type->id)};
  }
  return {};
}

}  // namespace

Status Registry::adopt(std::unique_ptr<PluginFile> file, Library library) {
  const std::string id = file->plugin->id;
  const auto same = [&](const auto& other) { return other->plugin->id == id; };
  // The earlier place wins; what only the other serves must not be lost without a word.
  if (const auto by = std::find_if(files_.begin(), files_.end(), same); by != files_.end()) {
    shadowed_.push_back({file->path, file->plugin, by->get()});
    return serves_no_more(*file, **by);
  }
  PLAIT_TRY(add_types(*file));
  files_.push_back(std::move(file));
  libraries_.push_back(std::move(library));
  return {};
}

Status Registry::add_types(const PluginFile& file) {
  for (uint32_t i = 0; i < file.plugin->n_types; ++i) {
    const plait_type* type = file.plugin->types[i];
    const auto [entry, is_new] = types_.try_emplace({type->id, type->kind}, TypeEntry{type, &file, {}});
    if (is_new) continue;
    conflict_ = true;
    return {Code::kInvalid, fmt::format("{} {} is defined by \"{}\" and by \"{}\"", type->kind, type->id,
                                        entry->second.file->path, file.path)};
  }
  return {};
}

// After all types are known, since a library may implement what another defines.
Status Registry::add_implementations(size_t first_file) {
  for (size_t f = first_file; f < files_.size(); ++f) {
    const PluginFile& file = *files_[f];
    for (uint32_t i = 0; i < file.plugin->n_implementations; ++i)
      PLAIT_TRY(add_implementation(file, *file.plugin->implementations[i]));
  }
  return {};
}

// Of any kind where it is "".
std::vector<TypeEntry*> Registry::implemented_types(const std::string& kind, const std::string& id) {
  std::vector<TypeEntry*> found;
  for (auto entry = types_.lower_bound({id, kind}); entry != types_.end() && entry->first.id == id; ++entry)
    if (kind.empty() || entry->first.kind == kind) found.push_back(&entry->second);
  return found;
}

Status Registry::add_implementation(const PluginFile& file, const plait_implementation& made) {
  PLAIT_ASSIGN(const std::string kind, kind_of_implementation(*file.plugin, made));
  const auto fails = [&](const std::string& why) {
    return invalid(file.path, fmt::format("implements {}{}{} on {}, {}", kind, kind.empty() ? "" : " ",
                                          made.type_id, made.device_id, why));
  };
  const std::vector<TypeEntry*> types = implemented_types(kind, made.type_id);
  if (types.empty()) {
    failures_.push_back({file.path, fails("which no library defines"), {}});
    return {};
  }
  if (types.size() > 1)
    return fails(fmt::format("without its kind: types of the kinds {} and {} have this id",
                             types[0]->type->kind, types[1]->type->kind));
  TypeEntry& entry = *types.front();
  if (auto complete = check_operations(*entry.type, made); !complete) {
    failures_.push_back({file.path, fails("by " + complete.message()), {}});
    return {};
  }
  const bool is_new = entry.implementations.emplace(made.device_id, &made).second;
  return is_new ? Status() : fails("which another library does too");
}

const TypeEntry* Registry::find(const std::string& kind, const std::string& name) const {
  auto found = types_.find({name, kind});
  if (found == types_.end()) found = types_.find({"plait." + name, kind});
  return found == types_.end() ? nullptr : &found->second;
}

std::vector<const TypeEntry*> Registry::named(const std::string& name) const {
  std::vector<const TypeEntry*> found;
  for (const char* kind : kinds())
    if (const TypeEntry* entry = find(kind, name)) found.push_back(entry);
  return found;
}

std::string Registry::who_would_provide(const std::string& kind, const std::string& name,
                                        const std::string& device_id) const {
  const std::string wanted = device_id.empty() ? name : name + " on " + device_id;
  for (const PluginFailure& failure : failures_) {
    for (const std::string& served : failure.serves) {
      const size_t space = served.find(' ');
      const bool says_kind = served.find('.') > space;  // notes of old drafts do not where they implement
      if (says_kind && !kind.empty() && served.substr(0, space) != kind) continue;
      const std::string id = says_kind ? served.substr(space + 1) : served;
      if (id == wanted || id == "plait." + wanted)
        return fmt::format("\"{}\" is provided by \"{}\", which did not load: {}", name, failure.path,
                           failure.reason.message());
    }
  }
  return "";
}

Result<const void*> Registry::implementation(const std::string& kind, const std::string& type_id,
                                             const std::string& device_id) const {
  const TypeEntry* entry = find(kind, type_id);
  if (entry == nullptr) {
    const std::string hint = who_would_provide(kind, type_id);
    return {Code::kNotFound,
            fmt::format("there is no {} {}{}", kind, type_id, hint.empty() ? "" : ": " + hint)};
  }
  const auto& made = entry->implementations;
  if (const auto found = made.find(device_id); found != made.end()) return found->second->ops;
  std::vector<std::string> devices;
  for (const auto& [device, implementation] : made) devices.push_back(device);
  const std::string hint = who_would_provide(kind, type_id, device_id);
  return {Code::kNotFound,
          fmt::format("{} has no implementation for device {}, only for {}{}", type_id, device_id,
                      devices.empty() ? "none" : fmt::format("{}", fmt::join(devices, ", ")),
                      hint.empty() ? "" : ": " + hint)};
}

}  // namespace plait::inline registry
