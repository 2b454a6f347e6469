// Names of temporary files: "NAME.tmp.PROCESS-HOST-RANDOM". Nobody can foresee them, and what a dead process
// left behind is told from what a living one is writing.
#pragma once
#include <string>

namespace plait::inline base {

constexpr char kTemporaryMark[] = ".tmp.";

// A new name beside `path`. Open it with O_EXCL | O_NOFOLLOW. Threads: [any]
std::string temporary_name(const std::string& path);

// Removes files of `folder` whose names are of temporary_name and whose process has died: of this host at
// once, of another (it cannot be asked) when they are a day older than `now_s`, in seconds since 1970.
void remove_stale_temporaries(const std::string& folder, long now_s);

}  // namespace plait::inline base
