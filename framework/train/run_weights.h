// The weights of a run, as evaluate and predict take them.
#pragma once
#include <string>
#include <vector>

#include "base/files.h"
#include "pipeline/job.h"
#include "plan/network.h"

namespace plait::inline train {

// Fails with: kInvalid when the job of a run has no network: its stages ran tasks, and nothing was trained.
Status check_network(const Job& job);

struct RunWeights {
  std::string bytes;
  std::string note;  // "" when they are known to be what the run ended with, or were named by a file
};

// The bytes of the file that `which` ("last", "best", or a safetensors file) means. Those of the run itself
// are compared with the digests in its summary.json. A run that was killed has none: its weights are taken as
// they are, and the note says so. Fails with: what the file system says; kCorrupt when file or summary are
// damaged, or do not belong together.
Result<RunWeights> read_run_weights(Files& files, const std::string& run_dir, const std::string& which);

struct UsedWeights {
  std::vector<std::vector<float>> plain;  // for every parameter of the network, in its order
  std::string note;                       // what was converted or passed over; "" when nothing was
};
// Fails with: kInvalid naming tensors that are missing, of another shape or type, NaN or infinite.
Result<UsedWeights> use_weights(const std::string& bytes, const Network& network, const std::string& path);

}  // namespace plait::inline train
