#include "cli/share_folder.h"

#include <filesystem>

namespace plait::inline cli {

std::string program_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

std::string share_path(const std::string& name) {
  const std::filesystem::path bin = std::filesystem::path(program_path()).parent_path();
  return (bin.parent_path() / "share" / "plait" / name).string();
}

}  // namespace plait::inline cli
