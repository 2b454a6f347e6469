// Whether a library that a pipeline file names may be loaded: loading runs its code, and a file may come from
// anybody. Here libraries are only read as bytes.
#pragma once
#include <string>

#include "registry/registry.h"

namespace plait::inline registry {

class Trust {
 public:
  enum class Verdict {
    kStranger,  // nothing speaks for it
    kNamed,     // a file of `own` has the same bytes, and is loaded anyway
    kInFolder,  // it lies in a folder of `own`, perhaps as a link
  };

  // `own`: the path that the person set, without what files add to it.
  explicit Trust(const SearchPath& own);

  // A folder that anyone may write to, and a library that anyone may write to, is nobody's word.
  Verdict of_library(const std::string& path) const;
  // kNamed: it has libraries, and each is of this verdict.
  Verdict of_folder(const std::string& path) const;

 private:
  bool is_named(const std::string& path) const;
  bool lies_in_folder(const std::string& path) const;
  std::vector<std::string> files_, folders_;
};

}  // namespace plait::inline registry
