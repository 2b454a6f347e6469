// The map function of a stage, with what gives it its records.
#pragma once
#include <plait/abi.h>

#include <string>

#include "base/status.h"
#include "mapreduce/split.h"

namespace plait::inline mapreduce {

class RecordMapper {
 public:
  virtual ~RecordMapper() = default;
  // The next step of a task: true when that was the last one. `call`: where results go, pass and states; the
  // mapper adds the records. Threads: slots at once; one slot [one at a time]
  virtual Result<bool> map(int slot, const Split& split, const plait_task_call& call) = 0;
  // "records 0 to 99": what a failure of the split's sums is told of.
  virtual std::string words(const Split& split) const {
    return "records " + std::to_string(split.first) + " to " + std::to_string(split.first + split.count - 1);
  }
  // That this rank has mapped so far. Threads: [any]
  virtual int64_t records() const = 0;
};

}  // namespace plait::inline mapreduce
