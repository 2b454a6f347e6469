// How much the repeats and variables of a job may make.
#pragma once
#include <cstddef>

namespace plait::inline pipeline {

// More would be a slip of the pen, and fill the memory.
struct RepeatLimits {
  size_t fields = 1'000'000;
  size_t bytes = 64 << 20;
};

}  // namespace plait::inline pipeline
