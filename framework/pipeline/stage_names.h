// The stages of a file by their names, for fields that name one.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "registry/stage_arrays.h"

namespace plait {

struct NamedStage {
  std::shared_ptr<StageArrays> arrays;
  bool makes_pairs = false;  // of a key and a value, which no field can name
};

using StageNames = std::map<std::string, NamedStage>;

}  // namespace plait
