// What the input path speaks of: a sample to be read, the order of samples, and passes over the data.
#pragma once
#include <plait/abi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/job.h"

namespace plait::inline graph {

// A sample to be read: which record, and the numbers that key its random augmentation.
struct SampleRef {
  int64_t record = 0;
  uint64_t epoch = 0;
  uint64_t place = 0;  // position within the epoch
};

// What operators of preprocess found in their pass over the training data, by their place; empty where one
// wants none.
using Fits = std::vector<std::vector<double>>;

// An operator that has to see the data before it is made. Borrows from the options of SampleChain::create.
struct WantedFit {
  size_t number = 0;  // of the operator in the chain: those before it are made
  std::string place;  // "plait.whiten (file:3:1)"
  const PluginSpec* spec = nullptr;
  const plait_augmenter_ops* ops = nullptr;
  uint32_t size = 0;  // f64s of a state; states begin as zeros, and are merged by addition
};

// Which samples a batch has; bad records are replaced through `replacement`.
// Threads: [any]
class SampleOrder {
 public:
  virtual ~SampleOrder() = default;
  virtual SampleRef sample(int64_t position) const = 0;
  // What stands for a record found bad: drawn from (seed, epoch, place, attempt); attempt = 1, 2, ...
  virtual SampleRef replacement(const SampleRef& bad, int attempt) const = 0;
  // False: a record found bad is a failure.
  virtual bool replaces() const { return true; }
};

}  // namespace plait::inline graph
