// What `plait quantize` does: a run whose trained layers compute on 8-bit integers, from one that is done.
//
// Ranges of the layers' inputs are measured in an evaluation of records in f32, and become fields of the
// layers (int8) in the resolved job of a new folder, which evaluate and predict read as any other. Its
// weights are those of the run: each layer makes its integers of them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/registry.h"

namespace plait::inline train {

struct QuantizeOptions {
  std::string run_dir;
  std::string out_dir;           // of the new run; a folder that holds none
  std::string weights = "last";  // or "best", or a safetensors file
  std::string on = "train";      // or "validation", "test": the records that ranges are measured on
  int64_t records = 1000;        // so many of them, evenly over all; 1 to 2^31
  int threads = 0;
};

struct QuantizeSummary {
  std::vector<LayerSpec> layers;   // of the job, with ranges where they have become integers
  int64_t records = 0;             // that were measured
  std::vector<std::string> notes;  // of what a person should know
};

// Fails with: kInvalid for a run that is not complete or is quantized already, for a job of which no layer
// computes on 8-bit integers, without records, and where out_dir holds a run; kNumeric for numbers that are
// not finite; what evaluation reports. Collective; rank 0 writes.
Result<QuantizeSummary> quantize_run(const Registry& registry, const Job& job, const QuantizeOptions& options,
                                     Transport& transport, Clock& clock, Files& files);

}  // namespace plait::inline train
