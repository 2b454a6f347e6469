// What the augmenters of a job make of its samples, step by step, for a person to look at.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/picture_grid.h"

namespace plait::inline train {

struct AugmentOptions {
  int64_t samples = 8;  // the first that the epoch has; no more than it has
  uint64_t epoch = 0;
  std::optional<int64_t> record = {};  // this one alone
  std::string part = {};               // whose pictures are drawn; "": the first that is one
  int64_t scale = 0;                   // pixels of the drawing along each edge of a picture's; 0: it chooses
  bool draws = false;
};

// Behind the source, or an augmenter.
struct AugmentStep {
  std::string place;              // "plait.affine (file:3:1)"
  std::string parts;              // "image [28, 28, 1] u8, label [] i32"
  bool works_on_batches = false;  // what it makes of a sample alone is shown
};

struct AugmentedSample {
  int64_t record = 0;
  uint64_t epoch = 0, place = 0;  // what keys its random numbers, besides seed and operator
  // Of each step: parts of other bytes than before, "image, mask"; "": none. Of the source: what it says in a
  // single number, "label 3 (Dress)".
  std::vector<std::string> told;
};

struct AugmentedSamples {
  std::vector<AugmentStep> steps;
  std::vector<AugmentedSample> samples;
  std::string drawn;                // the part
  std::optional<PictureGrid> grid;  // a row for each sample, a column for each step
};

// What training meets at the same epoch and place, whatever the number of ranks and threads. Operators of
// preprocess are left out.
// Fails with: kInvalid for a job without a source, a record that is not trained on, and a part that is no
// picture behind every step; kUnsupported for an augmenter that waits for a stage or a pass over the data;
// what plugins report.
// Threads: [setup only]
Result<AugmentedSamples> augment_samples(const Registry& registry, const Job& job,
                                         const AugmentOptions& options);

}  // namespace plait::inline train
