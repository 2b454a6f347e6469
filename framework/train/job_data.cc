#include "train/job_data.h"

#include <algorithm>
#include <cstdio>

#include "base/checked.h"
#include "graph/sample_cast.h"
#include "graph/sample_chain.h"
#include "pipeline/load.h"
#include "pipeline/stage_source.h"
#include "registry/parts.h"
#include "registry/stage_arrays.h"
#include "train/part_types.h"

namespace plait::inline train {
namespace {

// Those that are trained on.
FitRecords records_to_fit(const Job& job, const SampleReader& reader) {
  const RecordSplit split = split_of(job, reader.chain());
  return {split.training_count(), [split](int64_t place) { return split.training(place); }};
}

// With the augment chain in front of it, or as records are measured.
enum class For { kTraining, kMeasuring };

// What plugins are told when they ask whether to go on.
using Flag = const std::atomic<bool>*;

// As many as training takes, where the job says its steps: a source need not end.
int64_t most_records(const Job& job, For what) {
  if (what != For::kTraining || job.train.steps == 0 || job.validation_fraction > 0) return kMostRecords;
  const auto step =
      product_or_most(static_cast<uint64_t>(job.train.shards) * static_cast<uint64_t>(job.train.batch),
                      static_cast<uint64_t>(job.train.accumulate));
  const uint64_t all = product_or_most(static_cast<uint64_t>(job.train.steps), step);
  return static_cast<int64_t>(std::min(all, static_cast<uint64_t>(kMostRecords)));
}

SampleReader::Options reader_options(const Job& job, For what, const Fits* fits, Flag cancelled) {
  SampleReader::Options options;
  options.records_before = kRecordsBefore;
  options.cancelled = cancelled;
  options.most_records = most_records(job, what);
  options.training = what == For::kTraining;
  options.seed = job.seed;
  options.augment = &job.augment;
  options.preprocess = &job.preprocess;
  options.fits = fits;
  return options;
}

Result<std::unique_ptr<SampleReader>> open_reader(const Registry& registry, const Job& job,
                                                  const PluginSpec& source, For what, const Fits* fits,
                                                  Flag cancelled) {
  PLAIT_ASSIGN(auto reader,
               SampleReader::create(registry, source, reader_options(job, what, fits, cancelled)));
  if (reader->records() < 1) {
    return Status(Code::kInvalid, "source " + source.id() + " (" + source.where.text() + ") has no records");
  }
  return reader;
}

Result<EvaluationSet> open_whole(const Registry& registry, const Job& job, const PluginSpec& source,
                                 const Fits* fits, Flag cancelled) {
  EvaluationSet set;
  PLAIT_ASSIGN(set.own, open_reader(registry, job, source, For::kMeasuring, fits, cancelled));
  set.reader = set.own.get();
  set.order = std::make_unique<EvaluationOrder>(set.reader->records());
  return set;
}

Result<EvaluationSet> open_held_out(const Registry& registry, const Job& job, const Fits* fits,
                                    Flag cancelled) {
  EvaluationSet set;
  PLAIT_ASSIGN(set.own, open_reader(registry, job, job.source, For::kMeasuring, fits, cancelled));
  set.reader = set.own.get();
  const RecordSplit split(job.seed, set.reader->records(), job.validation_fraction,
                          set.reader->chain().in_order());
  if (split.validation_count() > 0) set.order = std::make_unique<EvaluationOrder>(split);
  return set;
}

// As they are without augmenters.
Result<EvaluationSet> open_trained(const Registry& registry, const Job& job, const Fits* fits,
                                   Flag cancelled) {
  EvaluationSet set;
  PLAIT_ASSIGN(set.own, open_reader(registry, job, job.source, For::kMeasuring, fits, cancelled));
  set.reader = set.own.get();
  set.order =
      std::make_unique<EvaluationOrder>(split_of(job, set.reader->chain()), EvaluationOrder::Part::kTraining);
  return set;
}

// A share that is no record would leave a job without its validation, in silence.
Status check_share(const Job& job, int64_t records, const RecordSplit& split) {
  if (job.validation || job.validation_fraction <= 0) return {};
  const int64_t kept = split.validation_count();
  const double wanted = job.validation_fraction * static_cast<double>(records);
  if (kept > 0 && wanted < static_cast<double>(records) - 0.5) return {};
  char share[80];
  std::snprintf(share, sizeof share, "%.6g of %lld records is %.3g", job.validation_fraction,
                static_cast<long long>(records), wanted);
  return {Code::kInvalid,
          error_at(job.validation_where, "a validation share of " + std::string(share) + ", so there is " +
                                             (kept > 0 ? "none left to train on" : "none to validate on"))};
}

bool wants_fits(const Registry& registry, const Job& job) {
  return std::ranges::any_of(job.preprocess, [&](const PluginSpec& spec) {
    const auto ops = registry.ops<plait_augmenter_ops>(spec.id());
    const plait_augmenter_ops* table = ops ? *ops : nullptr;
    return table != nullptr && PLAIT_HAS(table, fit_observe);
  });
}

// Of the training records without the augment chain.
Result<std::vector<PartSpec>> measured_parts_of(const Job& job, const SampleReader& training) {
  if (job.augment.empty()) return training.parts();
  std::vector<PartSpec> parts = training.source_parts();
  for (const PluginSpec& spec : job.preprocess) {
    CallContext context;
    auto made = infer_augmenter(*spec.entry, *spec.config, parts, context);
    if (!made) return made.status().at(spec.where.text() + origins_text(*spec.config));
    parts = std::move(*made);
  }
  for (PartSpec& part : parts) part.dtype = batch_dtype(part.dtype);
  return parts;
}

// A label is a place among the names: where they differ, right answers would be counted as wrong, in silence.
Status check_class_names(const SampleReader& training, const SampleReader& measured,
                         const std::string& what) {
  const std::vector<std::string>& wanted = training.class_names();
  const std::vector<std::string>& got = measured.class_names();
  if (wanted.empty() || got.empty()) return {};
  for (size_t i = 0; i < got.size(); ++i) {
    if (i < wanted.size() && got[i] == wanted[i]) continue;
    return {Code::kInvalid, "label " + std::to_string(i) + " of the " + what + " records is class \"" +
                                got[i] + "\", of the training records " +
                                (i < wanted.size() ? "\"" + wanted[i] + "\"" : "none")};
  }
  return {};
}

Status check_parts(const SampleReader& training, const std::vector<PartSpec>& measured,
                   const EvaluationSet& set, const std::string& what) {
  if (set.reader == nullptr) return {};
  PLAIT_TRY(check_part_types(training, *set.reader, what));
  PLAIT_TRY(check_class_names(training, *set.reader, what));
  if (set.reader->parts() == measured) return {};
  return {Code::kInvalid, what + " records are " + parts_text(set.reader->parts()) + ", training records " +
                              parts_text(measured)};
}

FitInfo kept_fit(const std::string& place) {
  FitInfo info;
  info.place = place;
  info.is_kept = true;
  return info;
}

}  // namespace

RecordSplit split_of(const Job& job, const SampleChain& chain) {
  return {job.seed, chain.source().records, job.validation ? 0 : job.validation_fraction, chain.in_order()};
}

TrainingOrder training_order(const Job& job, const SampleChain& chain, int64_t repeat) {
  const int64_t block = chain.in_order() ? chain.source().block : 0;
  return {job.seed, split_of(job, chain), job.train.shuffle, repeat, block};
}

std::string parts_text(const std::vector<PartSpec>& parts) {
  std::string text;
  for (const PartSpec& part : parts) text += (text.empty() ? "" : ", ") + part_text(part);
  return text;
}

Result<std::unique_ptr<JobData>> JobData::open(const Registry& registry, const Job& job, int64_t repeat,
                                               Flag cancelled) {
  std::unique_ptr<JobData> data(new JobData);
  PLAIT_ASSIGN(data->training_, open_reader(registry, job, job.source, For::kTraining, nullptr, cancelled));
  const SampleChain& chain = data->training_->chain();
  const RecordSplit split = split_of(job, chain);
  if (!waits_for_records(job.source)) PLAIT_TRY(check_share(job, data->training_->records(), split));
  data->order_ = std::make_unique<TrainingOrder>(training_order(job, chain, repeat));
  if (job.validation) {
    PLAIT_ASSIGN(data->validation_, open_whole(registry, job, job.validation, nullptr, cancelled));
  } else if (split.validation_count() > 0 && job.augment.empty()) {
    data->validation_.reader = data->training_.get();
    data->validation_.order = std::make_unique<EvaluationOrder>(split);
  } else if (split.validation_count() > 0) {
    PLAIT_ASSIGN(data->validation_, open_held_out(registry, job, nullptr, cancelled));
  }
  if (job.test) {
    PLAIT_ASSIGN(data->test_, open_whole(registry, job, job.test, nullptr, cancelled));
  }
  PLAIT_ASSIGN(data->measured_parts_, measured_parts_of(job, *data->training_));
  PLAIT_TRY(check_parts(*data->training_, data->measured_parts_, data->validation_, "validation"));
  PLAIT_TRY(check_parts(*data->training_, data->measured_parts_, data->test_, "test"));
  return data;
}

Status JobData::complete(const Job& job, const FitAround& around, const Fits* kept,
                         std::vector<FitInfo>& told) {
  if (kept != nullptr) kept_ = *kept;
  const Fits* const known = kept != nullptr ? &kept_ : nullptr;
  const FitRecords records = records_to_fit(job, *training_);
  const std::vector<ChainOperator>& operators = training_->chain().operators();
  const size_t first = training_->chain().augmenters();
  const Flag cancelled = &around.work.cancelled();
  std::vector<bool> had;
  for (const ChainOperator& op : operators) had.push_back(!op.fit.empty());
  PLAIT_TRY(fitting_.complete(*training_, reader_options(job, For::kTraining, known, cancelled), records,
                              around, told));
  for (size_t i = first; known != nullptr && i < operators.size(); ++i)
    if (!had[i] && !operators[i].fit.empty()) told.push_back(kept_fit(operators[i].place));
  if (training_->is_waiting()) return {};
  fits_ = training_->fits();
  for (EvaluationSet* set : {&validation_, &test_})
    if (set->own != nullptr)
      PLAIT_TRY(fitting_.complete(*set->own, reader_options(job, For::kMeasuring, &fits_, cancelled), {},
                                  around, told));
  return {};
}

Result<Fits> FoundFits::find(const Job& job, const FitAround& around) {
  if (!wants_fits(around.registry, job)) return Fits(job.preprocess.size());
  const Flag cancelled = &around.work.cancelled();
  PLAIT_TRY(around.work.run([this, &job, registry = &around.registry, cancelled]() -> Status {
    PLAIT_ASSIGN(training_, open_reader(*registry, job, job.source, For::kTraining, nullptr, cancelled));
    return {};
  }));
  std::vector<FitInfo> told;
  PLAIT_TRY(fitting_.complete(*training_, reader_options(job, For::kTraining, nullptr, cancelled),
                              records_to_fit(job, *training_), around, told));
  return training_->fits();
}

const PluginSpec& source_of_set(const Job& job, const std::string& on) {
  return on == "test" ? job.test : on == "validation" && job.validation ? job.validation : job.source;
}

std::vector<PluginSpec> plugins_of_set(const Job& job, const std::string& on) {
  std::vector<PluginSpec> plugins = job.preprocess;
  plugins.push_back(source_of_set(job, on));
  return plugins;
}

Result<EvaluationSet> open_set(const Registry& registry, const Job& job, const std::string& on,
                               const Fits* fits, Flag cancelled) {
  if (on == "train") return open_trained(registry, job, fits, cancelled);
  if (on == "test" && job.test) return open_whole(registry, job, job.test, fits, cancelled);
  if (on == "validation" && job.validation) return open_whole(registry, job, job.validation, fits, cancelled);
  if (on == "validation" && job.validation_fraction > 0) return open_held_out(registry, job, fits, cancelled);
  return Status(Code::kInvalid, "the job has no " + on + " records");
}

}  // namespace plait::inline train
