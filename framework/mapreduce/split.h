// How a stage's input is cut into tasks: by data and job file alone, never by the machine.
#pragma once
#include <algorithm>
#include <cstdint>

namespace plait::inline mapreduce {

// A stretch of records: the input of one task.
struct Split {
  int64_t number = 0;
  int64_t first = 0;
  int64_t count = 0;
};

// `records` records in splits of `size`; the last one may be smaller.
struct Splits {
  int64_t records = 0;
  int64_t size = 1;

  int64_t count() const { return records / size + (records % size != 0); }
  Split at(int64_t number) const {
    const int64_t first = number * size;
    return {number, first, std::min(size, records - first)};
  }
};

}  // namespace plait::inline mapreduce
