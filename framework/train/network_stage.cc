#include "train/network_stage.h"

#include "mapreduce/scheduler.h"
#include "pipeline/load.h"
#include "pipeline/stage_source.h"
#include "registry/parts.h"
#include "registry/shape_text.h"
#include "registry/stage_arrays.h"

namespace plait::inline train {

Result<std::unique_ptr<ChainStage>> NetworkStage::open(const Registry& registry, const StageSpec& spec,
                                                       int64_t records, int64_t block) {
  std::vector<PartSpec> made;
  for (const StageArrays::Array& array : spec.from_network->arrays()) made.push_back(array.spec);
  spec.arrays->declare(made);
  std::unique_ptr<NetworkStage> stage(new NetworkStage(spec, records, block));
  PLAIT_TRY(stage->make_sink(registry));
  if (const Status fits = stage->sink().check(sink_arrays(made)); !fits)
    return Status(fits.code(), error_at(spec.where, fits.message()));
  return std::unique_ptr<ChainStage>(std::move(stage));
}

std::string NetworkStage::flow() const {
  const std::string& on = spec().network->on;
  const PluginSpec& source = spec().source;
  const std::string records = !on.empty()               ? on + " records"
                              : is_stage_source(source) ? "stage \"" + stage_of(source) + "\""
                                                        : source.entry->short_name();
  return records + " -> network -> " + spec().does() + " -> " + spec().from_network->text();
}

// Of rows that are not counted yet there may be as many as are allowed.
ChainStage::Memory NetworkStage::memory(int) const {
  Memory use;
  for (const StageArrays::Array& array : spec().from_network->arrays()) {
    const bool is_counted = array.spec.shape.empty() || array.spec.shape.front() >= 0;
    use.held = is_counted ? use.held + byte_count(array.spec) : spec().memory_bytes;
    if (!is_counted) break;
  }
  return use;
}

// What the network made lies in the stage's arrays, on every rank.
Result<ChainStage::Outcome> NetworkStage::run(const Around& around) {
  Outcome outcome;
  outcome.records = records_;
  const int ranks = around.transport.size();
  for (int rank = 0; rank < ranks; ++rank)
    outcome.tasks_by_rank.push_back(Scheduler::count_of(rank, ranks, {0, tasks()}));
  const std::vector<StageArrays::Array>& arrays = spec().from_network->arrays();
  const bool is_measured = spec().verb == Verb::kEvaluate;
  outcome.results = is_measured ? static_cast<int64_t>(arrays.size()) : records_;
  if (!around.transport.is_root()) return outcome;
  std::vector<PartSpec> specs;
  std::vector<const void*> data;
  for (const StageArrays::Array& array : arrays)
    specs.push_back(array.spec), data.push_back(array.bytes.data());
  PLAIT_TRY(write_output(around, outcome.sha256, [&](const Files::Writer& write) {
              return sink().write(sink_arrays(specs), data, write);
            }).at("stage \"" + spec().name + "\""));
  return outcome;
}

}  // namespace plait::inline train
