// default_search_path, and what is on a path.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "registry/environment.h"
#include "registry/registry.h"

namespace plait::inline registry {
namespace {

// Folders that nobody named are taken only where they exist.
void add_if_there(std::vector<std::string>& folders, const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) folders.push_back(folder.lexically_normal().string());
}

std::string user_data_folder() {
  // A relative one is to be ignored. Source: XDG Base Directory Specification.
  if (const std::string data = environment("XDG_DATA_HOME"); data.starts_with('/')) return data;
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

std::vector<std::string> libraries_in(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().native().ends_with(".plait.so")) paths.push_back(entry->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> libraries_on(const SearchPath& path) {
  std::vector<std::string> files = path.files;
  for (const std::string& folder : path.folders)
    for (std::string& file : libraries_in(folder)) files.push_back(std::move(file));
  return files;
}

}  // namespace plait::inline registry
