// What a run's network is given, kept in the run's folder, so that it can be used where its data are not:
// the parts of the source's samples, its class names, and what preprocess found in the training records.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "cluster/transport.h"
#include "graph/sample_reader.h"
#include "pipeline/job.h"

namespace plait::inline train {

struct InputRecord {
  std::vector<PartSpec> parts;  // of the training source, before preprocess
  uint32_t classes = 0;
  std::vector<std::string> class_names;
  Fits fits;                              // an entry for each operator of preprocess
  std::vector<std::string> fitted_types;  // ids of these operators
  std::string made_from;                  // SHA-256 of all that decides the fits; "": not known
};

InputRecord describe_input(const SampleReader& training, const Job& job);

// As JSON, with a version and a SHA-256 of the rest: {"format": "plait input", "version": 1, "parts":
// [{"name", "dtype", "shape", "variable_axis", "second_axis"?}], "classes", "class_names", "preprocess":
// [{"type", "fit"}], "made_from", "sha256"}. A fit is the 16 hexadecimal digits of each f64, so that it comes
// back to the bit.
std::string to_text(const InputRecord& input);
// Fails with: kCorrupt for what is no such text, or does not fit its SHA-256; kUnsupported for a newer
// version.
Result<InputRecord> input_record_of(const std::string& text, const std::string& place);

// RUN/input.json
std::string input_path(const std::string& run_dir);
// Nothing for a run of a Plait that kept none. Fails with: as input_record_of; kInvalid when the job has
// other operators of preprocess where a fit is kept.
Result<std::optional<InputRecord>> read_input_record(Files& files, const std::string& run_dir,
                                                     const Job& job);
// On every rank what the folder of rank 0 holds. Fails with: as read_input_record. Collective.
Result<std::optional<InputRecord>> share_input_record(Files& files, const std::string& run_dir,
                                                      const Job& job, Transport& transport);

}  // namespace plait::inline train
