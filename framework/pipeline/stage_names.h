// The stages of a file by their names, for fields that name one.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "registry/stage_arrays.h"

namespace plait::inline pipeline {

struct NamedStage {
  std::shared_ptr<StageArrays> arrays;
  bool makes_pairs = false;  // of a key and a value: not records, and no layer begins with them
};

// What is said where such a stage is named in place of one of arrays, and the hint.
std::string pairs_text(const std::string& stage);
inline constexpr char kNoArrays[] = "a stage whose task fills accumulators makes arrays";

using StageNames = std::map<std::string, NamedStage>;

}  // namespace plait::inline pipeline
