// Records that were computed once and are read again and again: rows of the same size, in memory or in a file
// without a name (mapreduce/spill_file.h). As a source, a chain of augmenters can come after it.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"
#include "registry/parts.h"

namespace plait::inline train {

class KeptRecords {
 public:
  // `parts`: of a record, of fixed extents. `classes`: of the source that they come from. `in_file`: else in
  // memory. `where`: for messages.
  KeptRecords(std::vector<PartSpec> parts, uint32_t classes, bool in_file, const Location& where);
  ~KeptRecords();
  uint64_t row_bytes() const;
  // Appends records: for each part its values of all of them, one after the other.
  // Fails with: kIo where the file cannot be written. Threads: [setup only]
  Status append(const std::vector<std::span<const std::byte>>& parts, int64_t count);
  int64_t count() const;
  // The source, for as long as this lives.
  const PluginSpec& spec() const;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline train
