// The folders of a folder, one a class, and the pictures in them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace plait::image_folder {

struct ClassFolders {
  struct Picture {
    uint32_t label;
    std::string name;  // of the file in its class's folder
  };
  std::string path;
  std::vector<std::string> classes;  // names of folders; a label is a place in it
  std::vector<Picture> pictures;     // by label, then by name

  std::string path_of(const Picture& picture) const {
    return path + "/" + classes[picture.label] + "/" + picture.name;
  }
};

// Pictures are the files that end in .jpg, .jpeg or .png, in any case; other files, and names that begin with
// a dot, are passed over. Names are sorted by their bytes. `classes`: those folders, in this order; empty:
// all of them. Fails with: NotFound; IoError; CorruptFile where there is no class, a class without pictures,
// a picture outside the classes' folders, or a folder in one of them, of which nobody could say what it
// means.
ClassFolders find_pictures(const std::string& path, const std::vector<std::string>& classes);

}  // namespace plait::image_folder
