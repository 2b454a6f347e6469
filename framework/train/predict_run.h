// What `plait predict` does: a run's network, applied to records.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "registry/source_file.h"

namespace plait::inline train {

struct PredictOptions {
  std::string run_dir;
  std::string weights = "last";
  // "test" or "validation": the job's own records. Else a file of inputs of the network's first part, as its
  // source delivers them (before preprocess), opened by the source that its ending means; "-" or a pipe of
  // such a file (given_file.h). The run's folder says what the network is given (input_record.h): no data are
  // opened for it. A bad record is a failure, no other replaces it.
  std::string in;
  std::optional<Heading> heading;  // of a table that `in` names; nothing: found out
  // By the sink that its ending means. A table (.csv, .tsv): heading "index,prediction,<class names or
  // s0,s1,...>", a line per sample with the place of the largest score and the scores; else (.npy,
  // .safetensors) the scores [N, ...] f32, as the layer makes them.
  std::string out;
  std::string sink;  // a type that writes it whatever its ending; "": by the ending
  int threads = 0;
};

struct PredictSummary {
  int64_t samples = 0;
  std::vector<int64_t> shape;      // of one sample's scores
  std::vector<std::string> notes;  // of what a person should know
};

// Makes the last layer's outputs for inputs, on all ranks: the same bits for any number of them. Rank 0 reads
// the run's folder and pipes, and writes `out`, at once at the end or not at all; other files are read by
// every rank. Threads: [one at a time], the transport's thread; it does not return on the ranks of a world
// that failed.
Result<PredictSummary> predict_run(const Registry& registry, const Job& job, const PredictOptions& options,
                                   Transport& transport, Files& files);

}  // namespace plait::inline train
