// The frozen layers at the head of a pretraining stage's network. What they make of a record is the same in
// every epoch, so it is computed once, and the stage trains the rest of its network on that.
//
// The same bits as without: records are put through in batches of the stage's size, and everything that is
// random is keyed by names and by the places of records, which stay.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "train/job_data.h"
#include "train/kept_records.h"
#include "train/stage.h"
#include "train/weights_file.h"

namespace plait::inline train {

class Encoder {
 public:
  // Of a pretraining stage; `network`: the job's weights, which the frozen layers have. Null where there is
  // nothing to keep: no layer at the head is frozen, records change from epoch to epoch (augment) or in
  // extent, train { encoder_memory: 0 }. Threads: [setup only]
  static std::unique_ptr<Encoder> find(const Job& stage, const NamedTensors& network);
  ~Encoder();

  // False where a record is bad: which others replace it depends on the epoch. On all ranks alike.
  // Fails with: what blocks report; kIo where a file cannot be written; kStopped on all ranks. Threads: [one
  // at a time], the transport's thread; this lives as long as run.work.
  Result<bool> compute(RunContext& run, const NamedTensors& network);
  // The stage without those layers, over what they make. After compute; this outlives it.
  const Job& rest() const { return rest_; }
  const EncoderInfo& info() const { return info_; }

 private:
  struct Pass;
  explicit Encoder(const Job& stage);
  Result<bool> keep(RunContext& run, const NamedTensors& network, const PluginSpec& source, PluginSpec& into);
  Result<bool> keep_stretch(RunContext& run, const NamedTensors& network, const EvaluationSet& set,
                            int64_t first, int64_t count, KeptRecords& into);
  Result<std::vector<PartSpec>> parts_of(const SampleReader& reader) const;

  const Job stage_;
  Job rest_;
  std::vector<std::string> layers_;  // frozen ones that the rest reads
  std::vector<std::string> wanted_;  // names that the rest reads, layers or parts of the samples
  EncoderInfo info_;
  FoundFits found_;
  Fits fits_;
  std::vector<std::unique_ptr<EvaluationSet>> sets_;
  std::vector<std::unique_ptr<Pass>> passes_;
  std::vector<std::unique_ptr<KeptRecords>> kept_;
};

}  // namespace plait::inline train
