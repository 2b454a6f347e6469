// Libraries that have been seen to load, so that trying them costs nothing the second time: a file in the
// user's cache folder. Failures are never in it. Losing it, or any line of it, costs a trial and nothing
// else.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "registry/cache_file.h"

namespace plait::inline registry {

class KnownLoads {
 public:
  static std::string default_file() { return CacheFile::of_user("loads.txt"); }

  // `host` names whoever does the loading: what loads well there need not in another build.
  // A file that is not there or damaged knows less.
  KnownLoads(std::string file, std::string host);

  bool has(const std::string& identity) const { return known_.count(host_ + " " + identity) > 0; }
  // Changes what the file holds by now, and puts it there in one step: processes that do so at once may lose
  // each other's lines, but never leave half a file. A folder that cannot be written to is no failure.
  void record(const std::vector<std::string>& good, const std::vector<std::string>& bad);

 private:
  CacheFile file_;
  std::string host_;
  std::set<std::string> known_;
};

// This build of this program, as it was started: its file, version, and what makes the loader take other
// libraries.
std::string host_identity();

}  // namespace plait::inline registry
