// The input graph: source -> augment -> preprocess -> collate -> device, for one replica. Batches are prepared ahead of
// the step that uses them, in a bounded number of buffers. Everything is keyed by sample, so the order of execution
// does not matter.
#pragma once
#include <plait/abi.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/device.h"
#include "graph/replica.h"
#include "pipeline/job.h"
#include "registry/instance.h"

namespace plait {

// A sample to be read: which record, and the numbers that key its random augmentation.
struct SampleRef {
  int64_t record = 0;
  uint64_t epoch = 0;
  uint64_t place = 0;  // position within the epoch
};

// Sources and augmenters of a job, opened: shared by all replicas. `training` chooses the augment chain.
// Threads: create [setup only]; everything else [any].
class SampleReader {
 public:
  struct Options {
    bool training = true;
    uint64_t seed = 1;
    const std::vector<PluginSpec>* augment = nullptr;     // only when training
    const std::vector<PluginSpec>* preprocess = nullptr;
  };
  static Result<std::unique_ptr<SampleReader>> create(const Registry& registry, const PluginSpec& source,
                                                      const Options& options);
  ~SampleReader();
  int64_t records() const;
  uint32_t classes() const;
  std::vector<std::string> class_names() const;
  const std::vector<PartSpec>& parts() const;  // after all augmenters, without N, dtypes as collated (u8, f16... -> f32)
  // Reads one sample into slot `place_in_batch` of the buffers (a pointer per part, [N, ...]). `scratch` is per thread.
  // Fails with: kCorrupt for a bad record; what plugins report otherwise.
  struct Scratch;
  std::unique_ptr<Scratch> make_scratch() const;
  Status read(const SampleRef& sample, int place_in_batch, std::span<void* const> parts, std::span<int32_t* const> lengths,
              Scratch& scratch) const;

 private:
  struct Body;
  explicit SampleReader(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

// Which samples a batch has. resolve is called in order of place; bad records are replaced through `replace`.
class SampleOrder {
 public:
  virtual ~SampleOrder() = default;
  virtual SampleRef sample(int64_t position) const = 0;
  // What stands for a record found bad: drawn from (seed, epoch, place, attempt).
  virtual SampleRef replacement(const SampleRef& bad, int attempt) const = 0;
};

// Bounded preparation of batches for one replica.
// Threads: [one at a time] for start and take, which may be called from the replica's lane.
class InputGraph {
 public:
  static Result<std::unique_ptr<InputGraph>> create(const SampleReader& reader, const SampleOrder& order, Device& device,
                                                    int batch, int lanes, int buffers = 2);
  ~InputGraph();
  // Begins to prepare the batch of samples at positions [first, first + batch). At most `buffers` may be under way.
  void start(int64_t first_position);
  // The oldest started batch, ready on the device; valid until the next-but-(buffers-2) take.
  Result<const Batch*> take();
  int64_t skipped_records() const;  // bad records met so far

 private:
  struct Body;
  explicit InputGraph(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace plait
