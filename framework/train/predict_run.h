// What `plait predict` does: a run's network, applied to records.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/csv_file.h"

namespace plait::inline train {

struct PredictOptions {
  std::string run_dir;
  std::string weights = "last";
  // "test" or "validation": the job's own records. Else a file of inputs of the network's first part, as its
  // source delivers them (before preprocess): .npy [N, H, W, C] (or [N, H, W] for C = 1) of u8 or f32, or
  // .csv, a row of H*W*C plain numbers per sample (csv_file.h); "-" or a pipe of either. The run's folder
  // says what the network is given (input_record.h): no data are opened for it.
  std::string in;
  Heading heading = Heading::kAuto;  // of a .csv
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

// Writes the last layer's outputs for inputs. `out` is written at once at the end or not at all. World of
// one.
Result<PredictSummary> predict_run(const Registry& registry, const Job& job, const PredictOptions& options,
                                   Files& files);

}  // namespace plait::inline train
