// Arrays as a source of records: row i of each is record i. A chain of augmenters can come after it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"
#include "registry/stage_arrays.h"

namespace plait::inline train {

class ArraySource {
 public:
  // `arrays`: those of them that are wanted; none: all. The number of records is that of their rows; 0 where
  // it is not known yet, or there are no values. `where`: in the file, for messages.
  // Fails with: kInvalid for a name that is not there, an array without rows, and different numbers of rows.
  static Result<std::unique_ptr<ArraySource>> create(std::shared_ptr<const StageArrays> from,
                                                     const std::vector<std::string>& arrays,
                                                     const Location& where);
  ~ArraySource();
  int64_t count() const;
  // The source, for as long as this lives.
  const PluginSpec& spec() const;

 private:
  struct Body;
  explicit ArraySource(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace plait::inline train
