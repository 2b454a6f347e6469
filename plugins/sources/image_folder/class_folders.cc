#include "class_folders.h"

#include <dirent.h>
#include <sys/stat.h>

#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace plait::image_folder {
namespace {

bool is_picture(const std::string& name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  std::string ending = name.substr(dot);
  for (char& letter : ending)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

struct Names {
  std::vector<std::string> folders, pictures;
};

[[noreturn]] void refuse(const std::string& path, int error) {
  if (error == ENOENT) throw sdk::NotFound(path, " cannot be opened: ", std::strerror(error));
  throw sdk::IoError(path, " cannot be read as a folder: ", std::strerror(error));
}

// A link that leads nowhere is a file that cannot be opened, which is told when it is read.
bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// By the system's own calls: libstdc++ 12 ends the program where std::filesystem's iterator has no memory.
Names names_in(const std::string& path) {
  struct Close {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(::opendir(path.c_str()));
  if (!folder) refuse(path, errno);
  Names names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (!entry && errno != 0) refuse(path, errno);
    if (!entry) break;
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    if (is_folder(path + "/" + name)) {
      names.folders.push_back(name);
    } else if (is_picture(name)) {
      names.pictures.push_back(name);
    }
  }
  std::ranges::sort(names.folders);
  std::ranges::sort(names.pictures);
  return names;
}

void add_class(ClassFolders& all, uint32_t label) {
  const std::string path = all.path + "/" + all.classes[label];
  const Names names = names_in(path);
  if (!names.folders.empty())
    throw sdk::CorruptFile(path, "/", names.folders.front(),
                           " is a folder in that of a class, wanted pictures");
  if (names.pictures.empty())
    throw sdk::CorruptFile(path, " has no picture, wanted files that end in .jpg, .jpeg or .png");
  for (const std::string& name : names.pictures) all.pictures.push_back({label, name});
}

void check_name(const std::string& path, const std::string& name) {
  const bool is_plain = std::ranges::none_of(name, [](char c) { return c >= 0 && c < ' '; });
  if (!is_plain)
    throw sdk::CorruptFile(path, ": the name of a class has a control character: ", sdk::excerpt(name));
  if (name.empty() || name.starts_with('.') || name.find('/') != std::string::npos)
    throw sdk::Error("classes: \"", name, "\" is no folder of ", path);
}

}  // namespace

ClassFolders find_pictures(const std::string& path, const std::vector<std::string>& classes) {
  const Names names = names_in(path);
  if (!names.pictures.empty())
    throw sdk::CorruptFile(path, "/", names.pictures.front(), " lies in no folder of a class");
  ClassFolders all{path, classes.empty() ? names.folders : classes, {}};
  if (all.classes.empty()) throw sdk::CorruptFile(path, " has no folder, wanted one for each class");
  for (uint32_t label = 0; label < all.classes.size(); ++label) {
    check_name(path, all.classes[label]);
    if (std::ranges::count(all.classes, all.classes[label]) > 1)
      throw sdk::Error("classes: \"", all.classes[label], "\" is written more than once");
    add_class(all, label);
  }
  return all;
}

}  // namespace plait::image_folder
