// Records that a person gives in a file, as a source that a chain of augmenters can come after.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "pipeline/job.h"
#include "registry/parts.h"
#include "train/csv_file.h"

namespace plait::inline train {

class GivenRecords {
 public:
  // Reads `path`: .npy of u8, f32 or f64 [N, extents of part], or .csv, a row of plain numbers per record; a
  // pipe, or "-" for standard input, of either. Records have the one part `part`; a last extent of 1 may be
  // left out. `note` becomes what a person should know, or "".
  // Fails with: kInvalid for another ending, a shape that does not fit, a number that is not finite or that
  // the part's dtype cannot hold; kCorrupt for what breaks the format; kUnsupported for other element types.
  static Result<std::unique_ptr<GivenRecords>> read(Files& files, const std::string& path,
                                                    const PartSpec& part, Heading heading, std::string& note);
  ~GivenRecords();
  int64_t count() const;
  // The source, for as long as this lives.
  const PluginSpec& spec() const;

 private:
  struct Body;
  explicit GivenRecords(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline train
