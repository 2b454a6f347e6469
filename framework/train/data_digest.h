// What files and folders hold, in a line that is the same wherever they lie: their size and a SHA-256 of
// their bytes, or, beyond kWhole_bytes, of blocks of them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline train {

struct DigestLimits {
  uint64_t whole_bytes = uint64_t{256}
                         << 20;  // a file, or all files of a folder together, up to this: every byte
  uint64_t block_bytes = uint64_t{1} << 20;  // beyond it: so many blocks of this size, the first and the last
  uint64_t blocks = 64;                      // of the file among them, at equal distances
  uint64_t folder_files = 1000000;           // names that are looked at in a folder
};

struct PathDigest {
  std::string text;  // "26421880 bytes, sha256 12ab...", "... of 64 blocks", "3 files, 784 bytes, sha256 ..."
  std::string whole;     // asked for: the digest of every byte where text holds one of blocks; else ""
  bool is_known = true;  // false: nothing was read, and two of them may be of different data
};

// Of a file: its bytes alone, as sha256sum has it where every byte is read. Of a folder: names, sizes and
// contents of the files in it and in its folders, in order of names; what is no file counts by its name.
// Where nothing is at `path`: of the files beside it whose names begin with its own, or are its own without
// an ending, since a plugin may look for them (x.gz for x). "not there" and "not a file" are answers too: the
// plugin knows whether it needs one. Fails with: kIo when it cannot be read. Threads: [any]
Result<PathDigest> digest_path(const std::string& path, bool whole, const DigestLimits& limits = {});

// What changes when a file that digest_path reads is written to, in this process's view of the file system:
// its content may still be the same. Threads: [any]
std::string path_state(const std::string& path, const DigestLimits& limits = {});

// Of each path, on up to `threads` threads; a path that is given twice is read once. In the order of `paths`.
Result<std::vector<PathDigest>> digest_paths(const std::vector<std::string>& paths, bool whole, int threads);

}  // namespace plait::inline train
