// default_search_path.
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "registry/registry.h"

namespace plait {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Folders that nobody named are taken only where they exist.
void add_if_there(std::vector<std::string>& folders, const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) folders.push_back(folder.lexically_normal().string());
}

std::string user_data_folder() {
  if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data;
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.local/share";
}

}  // namespace

SearchPath default_search_path(std::vector<std::string> files, std::vector<std::string> folders) {
  SearchPath path{std::move(files), std::move(folders)};
  std::istringstream listed(environment("PLAIT_PLUGIN_PATH"));
  for (std::string folder; std::getline(listed, folder, ':');) {
    if (!folder.empty()) path.folders.push_back(folder);
  }
  if (const std::string data = user_data_folder(); !data.empty()) {
    add_if_there(path.folders, std::filesystem::path(data) / "plait/plugins/1");
  }
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) add_if_there(path.folders, program.parent_path() / "../lib/plait/plugins");
  return path;
}

}  // namespace plait
