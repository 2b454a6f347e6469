// What a resumed run has otherwise than the checkpoint that it goes on from, and whether it may.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "train/identity.h"

namespace plait::inline train {

struct ResumedChanges {
  std::vector<FactDifference> accepted;  // they give other bits, and a person said that they may
  std::vector<FactDifference> lengths;   // of epochs or steps: the schedules decide
};

// `accept`: parts of --accept-change.
// Fails with: kInvalid listing every difference that changes results and was not accepted, field by field.
Result<ResumedChanges> changes_of(const Identity& before, const Identity& now,
                                  const std::set<std::string>& accept);

// "train.epochs was 10, is 20"
std::string lengths_text(const std::vector<FactDifference>& lengths);

}  // namespace plait::inline train
