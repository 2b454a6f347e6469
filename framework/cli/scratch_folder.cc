#include "cli/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace plait::inline cli {
namespace fs = std::filesystem;

Result<ScratchFolder> ScratchFolder::create() {
  std::error_code failed;
  std::string path = (fs::temp_directory_path(failed) / "plait_XXXXXX").string();
  if (failed) return {Code::kIo, "no folder for temporary files: " + failed.message()};
  if (::mkdtemp(path.data()) == nullptr)
    return {Code::kIo, path + " cannot be made: " + std::strerror(errno)};
  return ScratchFolder(std::move(path));
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace plait::inline cli
