// SHA-256 of files that are named in every run: the program and its plugins, some 50 MB. Digests are kept in
// the user's cache folder beside what told the files apart without reading them (file_identity), so that a
// file is read once. Not for a check whether a file may be trusted, which reads the bytes themselves.
#pragma once
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline registry {

struct KnownDigests {
  std::string file = default_file();  // "": nothing is kept
  // A file that changed later than so many seconds ago is read again the next time too: the clock of a file
  // system ticks in steps, and it may change once more within one.
  double settled_s = 2;

  static std::string default_file();

  // Of every path, in order; files that are not known are read by as many threads as there are processors.
  // Fails with, each for itself: kNotFound, kIo as Sha256::hex_of_file.
  std::vector<Result<std::string>> of(const std::vector<std::string>& paths) const;
};

}  // namespace plait::inline registry
