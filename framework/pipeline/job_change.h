// One change of a job by the command line, or by a set: of a file.
#pragma once
#include <string>

namespace plait::inline pipeline {

struct JobChange {
  enum class Kind {
    kSet,       // "train.shards=4", "layer[c1].convolution.filters=64", "optimizer=adam{rate:0.1}",
                // "metric+=accuracy{}" (append to a list). Strings need no quotes.
    kDelete,    // "layer[drop1]", "schedule"
    kVariable,  // "width=64": for the values of the sets that follow
  };
  Kind kind = Kind::kSet;
  std::string text;
  std::string from = {};  // of a file's set: "FILE:LINE"; "": the command line
};

}  // namespace plait::inline pipeline
