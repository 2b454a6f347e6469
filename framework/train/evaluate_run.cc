#include "train/evaluate_run.h"

#include "train/announced.h"
#include "train/evaluate.h"
#include "train/fit_stage.h"
#include "train/input_record.h"
#include "train/job_data.h"
#include "train/ranks.h"
#include "train/run_folder.h"
#include "train/run_weights.h"
#include "train/stage_record.h"

namespace plait::inline train {
namespace {

Result<EvaluationInfo> evaluate(const Registry& registry, const Job& job, const EvaluateOptions& options,
                                Transport& transport, Clock& clock, Files& files) {
  PLAIT_TRY(check_network(job));
  const Clock::Nanoseconds begin = clock.now();
  RunWeights read;  // by the root alone, which also shows the note
  const std::string path = weights_path(options.run_dir, options.weights);
  if (transport.is_root()) {
    PLAIT_ASSIGN(read, read_run_weights(files, options.run_dir, options.weights));
  }
  PLAIT_ASSIGN(const std::string bytes, share_text(transport, read.bytes));
  PLAIT_ASSIGN(const auto kept, share_input_record(files, options.run_dir, job, transport));
  const InputRecord input = kept.value_or(InputRecord());
  std::vector<PluginSpec> wanted = plugins_of_set(job, options.on);
  if (!kept) wanted.push_back(job.source);
  PLAIT_TRY(share_used_arrays(files, options.run_dir, job, wanted, transport));
  PLAIT_ASSIGN(const auto device, Device::open(registry, *job.device.entry, *job.device.config));
  PLAIT_ASSIGN(const int fair, fair_threads(transport));
  const int threads = options.threads > 0 ? options.threads : fair;
  FoundFits found;
  StoppableWork work(transport);
  Fits fits = input.fits;
  if (input.parts.empty()) {
    PLAIT_ASSIGN(fits, found.find(job, {registry, transport, work, threads}));
  }
  PLAIT_ASSIGN(const EvaluationSet set, open_set(registry, job, options.on, &fits));
  const BlockParts parts{
      &registry,
      &job,
      device.get(),
      set.reader,
      set.order.get(),
      set.records(),
      job.evaluate.batch,
      threads,
      &work,
      false,
      input.parts.empty() ? classes_of(*set.reader) : SourceClasses{input.classes, input.class_names}};
  PLAIT_ASSIGN(const auto evaluator, Evaluator::create(parts, transport));
  PLAIT_ASSIGN(UsedWeights weights, use_weights(bytes, evaluator->plan().network(), path));
  EvaluationInfo info;
  for (const std::string& note : {read.note, weights.note})
    if (!note.empty()) info.notes.push_back(note);
  PLAIT_ASSIGN(info.values, evaluator->run(plain_weights_of(weights.plain), transport));
  info.on = options.on;
  info.weights = options.weights;
  info.records = evaluator->records();
  info.seconds = seconds_of(clock.now() - begin);
  return info;
}

}  // namespace

Result<EvaluationInfo> evaluate_run(const Registry& registry, const Job& job, const EvaluateOptions& options,
                                    Transport& transport, Clock& clock, Files& files) {
  return announced(evaluate(registry, job, options, transport, clock, files), transport);
}

}  // namespace plait::inline train
