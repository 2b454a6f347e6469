// Samples of a job, one at a time: a chain that is shared by all who read, the thread that reads ahead where
// its source may block, and the bad records met.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/sample.h"
#include "graph/sample_chain.h"

namespace plait::inline io {
class IoContext;
}

namespace plait::inline graph {

// Sources and augmenters of a job, opened: shared by all replicas. `training` chooses the augment chain.
//
// Random numbers of an operator: key (seed, kAugment, "<place in the chain> <type id>", the source is "source
// <type id>", preprocess goes on counting after augment), counter_high random_counter(place, epoch).
// An operator that wants a pass over the data first (fit) is made once that has been: see complete. It sees
// the training records as the operators before it leave them in epoch 0; bad records are left out. Threads:
// create [setup only]; everything else [any].
class SampleReader {
 public:
  using Options = SampleChain::Options;
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
  Result<std::optional<WantedFit>> complete(const Registry& registry, const Options& options) {
    return chain_->complete(registry, options);
  }
  // The sum of the states of the pass. Threads: [setup only]
  void give_fit(const WantedFit& wanted, std::vector<double> fit) {
    chain_->give_fit(wanted, std::move(fit));
  }
  Fits fits() const;
  const SampleChain& chain() const { return *chain_; }

  int64_t records() const { return chain_->source().records; }
  uint32_t classes() const { return chain_->source().n_classes; }
  const std::vector<std::string>& class_names() const { return chain_->source().class_names; }
  const std::vector<PartSpec>& source_parts() const { return chain_->source_parts(); }
  // After all augmenters, without N, dtypes as collated (u8, f16... -> f32).
  const std::vector<PartSpec>& parts() const { return chain_->batch_parts(); }

  using ScratchOwner = std::unique_ptr<SampleScratch>;
  ScratchOwner make_scratch() const { return std::make_unique<SampleScratch>(*chain_); }
  // Reads one sample into slot `place_in_batch` of the buffers (a pointer per part, [N, ...]; of a part
  // along each variable axis [N] extents used). What lies past a sample's extent is zero. `scratch` is per
  // thread. Operators that work on whole batches are the input graph's. Does not allocate unless it fails.
  // Fails with: kCorrupt for a bad record; what plugins report otherwise.
  Status read(const SampleRef& sample, int place_in_batch, std::span<void* const> parts,
              std::span<const ExtentsOut> extents, SampleScratch& scratch) const;

  // Null unless the source may block or has to be read in order: for who reads ahead.
  IoContext* io_context() const { return io_context_.get(); }
  // True the first time that (epoch, place) is reported: a bad record is counted once, however often it is
  // met. `why`: what is wrong with it.
  bool report_bad(const SampleRef& sample, const Status& why) const;
  // What is wrong with the first of them in the order of reading, or ok.
  Status first_bad() const;

 private:
  SampleReader();
  std::unique_ptr<SampleChain> chain_;
  std::unique_ptr<IoContext> io_context_;
  mutable std::mutex mutex_;
  mutable std::set<std::pair<uint64_t, uint64_t>> bad_;  // epoch, place
  mutable Status first_bad_;
};

}  // namespace plait::inline graph
