#include "cli/file_plugins.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/shown.h"
#include "registry/trust.h"

namespace plait::inline cli {
namespace {

Status refusal(const Location& where, const std::string& path, const char* what, const char* what_is_put) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(path, ignored);
  const std::string message = fmt::format("the file names {} \"{}\"{}, and a file alone loads no code", what,
                                          shown(path), there ? "" : ", which is not there");
  return {
      Code::kInvalid,
      error_at(where, message) +
          fmt::format("\n    to load it, where you trust whoever wrote it: --plugin {}, or --trust for all "
                      "that the file names,\n    or put {} into a folder of PLAIT_PLUGIN_PATH or "
                      "~/.local/share/plait/plugins/1",
                      shown(path), what_is_put)};
}

}  // namespace

Result<PluginScan> trusted_plugins(const PluginScan& named, const SearchPath& own) {
  const Trust trust(own);
  PluginScan loaded;
  for (size_t i = 0; i < named.plugins.size(); ++i) {
    const Trust::Verdict verdict = trust.of_library(named.plugins[i]);
    if (verdict == Trust::Verdict::kStranger)
      return refusal(named.plugin_places[i], named.plugins[i], "the plugin", "it");
    if (verdict == Trust::Verdict::kInFolder) loaded.plugins.push_back(named.plugins[i]);
  }
  for (size_t i = 0; i < named.plugin_path.size(); ++i) {
    const Trust::Verdict verdict = trust.of_folder(named.plugin_path[i]);
    if (verdict == Trust::Verdict::kStranger)
      return refusal(named.plugin_path_places[i], named.plugin_path[i], "the folder of plugins",
                     "its plugins");
    if (verdict == Trust::Verdict::kInFolder) loaded.plugin_path.push_back(named.plugin_path[i]);
  }
  return loaded;
}

}  // namespace plait::inline cli
