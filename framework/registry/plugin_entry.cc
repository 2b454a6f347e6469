#include "registry/plugin_entry.h"

#include <fmt/format.h>

#include <exception>
#include <map>
#include <mutex>

#include "registry/check.h"
#include "registry/config.h"

namespace plait::inline registry {
namespace {

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

}  // namespace

Result<const plait_plugin*> checked_plugin_of(const Library& library) {
  PLAIT_ASSIGN(const plait_plugin* plugin, plugin_of(library));
  for (const Status& status : {check_version(*plugin), check_tables(*plugin)}) {
    if (!status) return invalid(library.path(), status.message());
  }
  return plugin;
}

}  // namespace plait::inline registry
