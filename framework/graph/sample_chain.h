// A source and the operators after it, and what one sample needs on its way through them.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/sample.h"
#include "graph/sample_level.h"
#include "registry/context.h"
#include "registry/instance.h"

namespace plait::inline graph {

// One augmenter of the chain.
struct ChainOperator {
  Instance instance;            // empty while is_late
  std::vector<PartSpec> parts;  // that come out
  std::string place;            // "plait.affine (file:3:1)"
  uint64_t key = 0;             // of its random numbers
  std::vector<double> fit;      // sum of the pass over the data
  bool whole_batches = false;
  bool is_late = false;    // made by complete: it, or an operator before it, waits for a stage or wants a fit
  uint64_t workspace = 0;  // bytes that apply wants, once it is made
  const plait_augmenter_ops& ops() const { return *instance.ops<plait_augmenter_ops>(); }
  // What it draws a sample's numbers from.
  plait_rng random_of(const SampleRef& sample) const;
  // Of apply (batch 0), or of apply_batch on `batch` samples. Fails with: what the plugin reports.
  Result<uint64_t> workspace_bytes(int64_t batch) const;
};

// Threads: create [setup only]; everything else [any], with a scratch per thread.
class SampleScratch;

class SampleChain {
 public:
  struct Options {
    bool training = true;
    uint64_t seed = 1;
    const std::vector<PluginSpec>* augment = nullptr;  // only when training
    const std::vector<PluginSpec>* preprocess = nullptr;
    const Fits* fits = nullptr;  // of preprocess, made before; null: operators wait for a pass over the data
    // What plugins are told when they ask whether to go on; null: always. It outlives the chain.
    const std::atomic<bool>* cancelled = nullptr;
    // Of a source that does not know its length: more are not counted, nor read.
    int64_t most_records = kMostRecords;
    // What a source has whose stage has not run yet; what is made for it is made again afterwards.
    int64_t records_before = 0;
  };
  static Result<std::unique_ptr<SampleChain>> create(const Registry& registry, const PluginSpec& source,
                                                     const Options& options);
  // See SampleReader. Threads: [setup only]
  Result<std::optional<WantedFit>> complete(const Registry& registry, const Options& options);
  void give_fit(const WantedFit& wanted, std::vector<double> fit);
  const SourceDescription& source() const { return description_; }
  const Instance& source_instance() const { return source_; }
  const std::vector<PartSpec>& source_parts() const { return description_.parts; }
  const std::string& source_place() const { return source_place_; }  // "plait.idx (file:3:1)"
  const std::vector<ChainOperator>& operators() const { return operators_; }
  const std::vector<PartSpec>& last_parts() const { return parts_at(operators_.size()); }
  // What goes into operator `level`; of the number of all what comes out of the last.
  const std::vector<PartSpec>& parts_at(size_t level) const {
    return level == 0 ? source_parts() : operators_[level - 1].parts;
  }
  const std::vector<PartSpec>& batch_parts() const { return batch_parts_; }
  size_t augmenters() const { return augmenters_; }  // operators before the first of preprocess
  bool in_order() const { return !description_.random_access; }
  const std::atomic<bool>* cancelled() const { return cancelled_; }  // null: never

  // The sample's record into the scratch's level 0.
  Status read_source(const SampleRef& sample, SampleScratch& scratch) const;
  // From level 0 through all operators, or the first `count`.
  Status transform(const SampleRef& sample, SampleScratch& scratch) const {
    return transform(sample, scratch, operators_.size());
  }
  Status transform(const SampleRef& sample, SampleScratch& scratch, size_t count) const {
    for (size_t i = 0; i < count; ++i) PLAIT_TRY(transform_one(sample, scratch, i));
    return {};
  }
  // From level `number` through that operator.
  Status transform_one(const SampleRef& sample, SampleScratch& scratch, size_t number) const;
  // Adds the sample to `state`, once the operators before `wanted` have been at it.
  Status observe(const WantedFit& wanted, const SampleRef& sample, SampleScratch& scratch,
                 double* state) const;
  bool training() const { return training_; }
  // What a batch holds after the first `count` operators: of all of them batch_parts(), else the samples' own
  // types.
  const std::vector<PartSpec>& collated_parts(size_t count) const {
    return count == operators_.size() ? batch_parts_ : parts_at(count);
  }
  // From level `count` into slot `place` of a batch of collated_parts(count).
  void collate(int place, std::span<void* const> parts, std::span<const ExtentsOut> extents,
               const SampleScratch& scratch, size_t count) const;
  void collate(int place, std::span<void* const> parts, std::span<const ExtentsOut> extents,
               const SampleScratch& scratch) const {
    collate(place, parts, extents, scratch, operators_.size());
  }
  // Lets level `count` lie in slot `place` wherever nothing has to be cast.
  void aim(int place, std::span<void* const> parts, SampleScratch& scratch, size_t count) const;
  // One operator of whole batches, from [N, ...] parts to others. workspace: see ChainOperator.
  Status transform_batch(const ChainOperator& op, const SampleRef& first, const plait_tensor* const* inputs,
                         const plait_tensor* const* outputs, void* workspace, CallContext& context) const;

 private:
  friend class ChainMaker;
  SampleChain() = default;
  static void* slot(const PartSpec& part, int place, void* memory);

  Instance source_;
  SourceDescription description_;
  uint64_t source_key_ = 0;
  std::string source_place_;
  bool training_ = true;
  const std::atomic<bool>* cancelled_ = nullptr;
  std::vector<ChainOperator> operators_;
  size_t augmenters_ = 0;
  std::vector<PartSpec> batch_parts_;
};

// Memory for one sample at a time, of a chain whose operators are made. Level 0 is what the source gives,
// level i + 1 what operator i makes of it.
class SampleScratch {
 public:
  explicit SampleScratch(const SampleChain& chain);
  SampleLevel& level(size_t number) { return *levels_[number]; }
  const SampleLevel& level(size_t number) const { return *levels_[number]; }
  SampleLevel& last() { return *levels_.back(); }
  CallContext& context() { return context_; }
  void* workspace() { return workspace_.data(); }
  // Puts all levels where they belong; level 0 into `block` where one is given.
  void lay(std::byte* block = nullptr);

 private:
  std::vector<std::unique_ptr<SampleLevel>> levels_;
  HostBlock blocks_[2];  // neighbours lie in different ones
  HostBlock workspace_;  // of the operator that wants most
  CallContext context_;
};

}  // namespace plait::inline graph
