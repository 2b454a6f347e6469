#include "train/check_job.h"

#include "graph/input.h"
#include "train/compile_plan.h"
#include "train/reducer.h"

namespace plait {

Status check_training(const Registry& registry, const Job& job) {
  if (!job.source || !job.optimizer || job.losses.empty()) return {};
  const TrainSpec& train = job.train;
  PLAIT_TRY(Reducer::create(registry, job.reducer, train.shards, int64_t{train.local_steps} * train.batch)
                .status());
  SampleReader::Options options;
  options.seed = job.seed;
  options.shapes_only = true;
  options.augment = &job.augment;
  options.preprocess = &job.preprocess;
  PLAIT_ASSIGN(const auto reader, SampleReader::create(registry, job.source, options));
  PLAIT_ASSIGN(const auto device, Device::open(registry, *job.device.entry, *job.device.config));
  const PlanPurpose purpose{train.batch, true, false};
  return compile_plans(registry, job, reader->parts(), purpose, *device).status();
}

}  // namespace plait
