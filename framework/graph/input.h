// The input graph: source -> augment -> preprocess -> collate -> device, for one replica. Batches are
// prepared ahead of the step that uses them, in a bounded number of buffers. Everything is keyed by sample,
// so the order of execution does not matter.
#pragma once
#include <plait/abi.h>

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/device.h"
#include "graph/part_ranges.h"
#include "graph/replica.h"
#include "pipeline/job.h"
#include "plan/buckets.h"
#include "registry/instance.h"

namespace plait {

class SampleChain;
class SampleScratch;
class IoContext;

// A sample to be read: which record, and the numbers that key its random augmentation.
struct SampleRef {
  int64_t record = 0;
  uint64_t epoch = 0;
  uint64_t place = 0;  // position within the epoch
};

// What operators of preprocess found in their pass over the training data, by their place; empty where one
// wants none.
using Fits = std::vector<std::vector<double>>;

// An operator that has to see the data before it is made. Borrows from the options of SampleReader::create.
struct WantedFit {
  size_t number = 0;  // of the operator in the chain: those before it are made
  std::string place;  // "plait.whiten (file:3:1)"
  const PluginSpec* spec = nullptr;
  const plait_augmenter_ops* ops = nullptr;
  uint32_t size = 0;  // f64s of a state; states begin as zeros, and are merged by addition
};

// Sources and augmenters of a job, opened: shared by all replicas. `training` chooses the augment chain.
//
// Random numbers of an operator: key (seed, kAugment, "<place in the chain> <type id>", the source is "source
// <type id>", preprocess goes on counting after augment), counter_high random_counter(place, epoch).
// An operator that wants a pass over the data first (fit) is made once that has been: see complete. It sees
// the training records as the operators before it leave them in epoch 0; bad records are left out. Threads:
// create [setup only]; everything else [any].
class SampleReader {
 public:
  struct Options {
    bool training = true;
    uint64_t seed = 1;
    const std::vector<PluginSpec>* augment = nullptr;  // only when training
    const std::vector<PluginSpec>* preprocess = nullptr;
    const Fits* fits = nullptr;  // of preprocess, made before; null: operators wait for a pass over the data
    // What plugins are told when they ask whether to go on; null: always. It outlives the reader.
    const std::atomic<bool>* cancelled = nullptr;
    // Of a source that does not know its length: more are not counted, nor read.
    int64_t most_records = kMostRecords;
  };
  // Fails with: what the plugins report, with the place in the file; kUnsupported when an operator that works
  // on whole batches is followed by one that changes the parts.
  static Result<std::unique_ptr<SampleReader>> create(const Registry& registry, const PluginSpec& source,
                                                      const Options& options);
  ~SampleReader();
  // Whether it cannot read yet: an operator names a stage that has not run, or wants a fit.
  bool is_waiting() const;
  // Makes operators that wait, with what there is by now, up to the first that wants a fit: that is given
  // back, and is made by the next call once it has been given its fit. Nothing: none wants a fit before a
  // stage has run. `options` as for create, fits may have come. Fails with: as create. Threads: [setup only]
  Result<std::optional<WantedFit>> complete(const Registry& registry, const Options& options);
  // The sum of the states of the pass. Threads: [setup only]
  void give_fit(const WantedFit& wanted, std::vector<double> fit);
  int64_t records() const;
  uint32_t classes() const;
  std::vector<std::string> class_names() const;
  const std::vector<PartSpec>& source_parts() const;  // before all augmenters
  Fits fits() const;
  // After all augmenters, without N, dtypes as collated (u8, f16... -> f32).
  const std::vector<PartSpec>& parts() const;
  // Reads one sample into slot `place_in_batch` of the buffers (a pointer per part, [N, ...]; per variable
  // part, [N] extents used, else null). What lies behind a sample's extent is zero. `scratch` is per thread.
  // Operators that work on whole batches are the input graph's. Does not allocate unless it fails.
  // Fails with: kCorrupt for a bad record; what plugins report otherwise.
  using Scratch = SampleScratch;
  struct FreeScratch {
    void operator()(Scratch* scratch) const;
  };
  using ScratchOwner = std::unique_ptr<Scratch, FreeScratch>;
  ScratchOwner make_scratch() const;
  Status read(const SampleRef& sample, int place_in_batch, std::span<void* const> parts,
              std::span<int32_t* const> lengths, Scratch& scratch) const;

  // For the input graph.
  const SampleChain& chain() const;
  IoContext* io_context() const;  // null unless the source may block or has to be read in order
  // True the first time that (epoch, place) is reported: a bad record is counted once, however often it is
  // met. `why`: what is wrong with it.
  bool report_bad(const SampleRef& sample, const Status& why) const;
  // What is wrong with the first that was reported, or ok. Threads: [any]
  Status first_bad() const;

 private:
  struct Body;
  explicit SampleReader(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

// Which samples a batch has; bad records are replaced through `replacement`.
// Threads: [any]
class SampleOrder {
 public:
  virtual ~SampleOrder() = default;
  virtual SampleRef sample(int64_t position) const = 0;
  // What stands for a record found bad: drawn from (seed, epoch, place, attempt); attempt = 1, 2, ...
  virtual SampleRef replacement(const SampleRef& bad, int attempt) const = 0;
};

// Bounded preparation of batches for one replica, by as many threads as `lanes`, the caller of take among
// them. So with one lane a batch is prepared in take, by the thread that needs it; only a source that may
// block is read ahead, on the reader's own thread for that.
// Threads: [one at a time] for start and take, which may be called from the replica's lane.
class InputGraph {
 public:
  static constexpr int kReplacements = 100;  // tries for one bad record
  // With `buckets` (of the reader's parts; they outlive the graph) every batch has the extents of the
  // smallest bucket that holds it, else those of the bound. A batch with a number out of `ranges` is refused.
  static Result<std::unique_ptr<InputGraph>> create(const SampleReader& reader, const SampleOrder& order,
                                                    Device& device, int batch, int lanes, int buffers = 2,
                                                    const Buckets* buckets = nullptr,
                                                    std::vector<PartRange> ranges = {});
  ~InputGraph();
  // Begins to prepare the batch of samples at positions [first, first + batch). At most `buffers` may be
  // under way.
  void start(int64_t first_position);
  // Helps with the oldest started batch until it is ready, for who has nothing else to do. No batch: nothing.
  void prepare();
  // The oldest started batch, ready on the device; valid until `buffers` - 1 further batches were started.
  // Fails with: what plugins report, naming the record; kInvalid for a number out of range; kCorrupt when
  // kReplacements replacements were bad too. Of several failures the first in the batch is told.
  Result<const Batch*> take();
  // Bad records met so far that no input graph of this reader had met before.
  int64_t skipped_records() const;

 private:
  struct Body;
  explicit InputGraph(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace plait
