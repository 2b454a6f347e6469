// Takes down the identity of a run (identity.h) on this rank: first what is known before data are opened,
// then the data themselves.
#pragma once
#include <string>
#include <vector>

#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/identity.h"
#include "train/job_data.h"

namespace plait::inline train {

// Program, plugins that the job uses (where it pretrains, all: stages may use any), instruction set and
// settings, job. `program`: version and digest. `overfit_batches`: see RunOptions. Fails with: kPlugin when a
// plugin cannot say what decides its bits. Threads: [setup only]
Result<Identity> identity_of(const Registry& registry, const Job& job, const std::string& program,
                             int overfit_batches);

// Records that a job reads, and the block that names their source.
struct PlacedReader {
  std::string place;
  const SampleReader* reader = nullptr;
};
// Training, validation and test records.
std::vector<PlacedReader> readers_of(const Job& job, const JobData& data);

// Digests of records: the source's own where it has one, else of the files that its fields name; and of the
// files that other plugins of the job name. `whole`: of every byte of large files
// too. `unknown`: gets the fields of sources whose files could not be found.
// Fails with: what sources report; kIo when a file cannot be read. Threads: [setup only]; uses
// `threads`.
Result<Identity> data_identity(const Job& job, const std::vector<PlacedReader>& readers, bool whole,
                               int threads, std::vector<std::string>& unknown);

}  // namespace plait::inline train
