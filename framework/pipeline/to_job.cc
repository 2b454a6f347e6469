#include "pipeline/to_job.h"

#include <algorithm>
#include <deque>

#include "pipeline/block_reader.h"
#include "pipeline/init_block.h"
#include "pipeline/job_name.h"
#include "pipeline/network_check.h"
#include "pipeline/pipeline.pb.h"
#include "pipeline/report_names.h"
#include "pipeline/stage_blocks.h"
#include "registry/loss_form.h"

namespace plait::inline pipeline {
namespace {

using job::Pipeline;

class JobMaker {
 public:
  JobMaker(const Schema& schema, const Place& file, bool for_training, Job& job, Errors& errors)
      : schema_(schema),
        file_(file),
        for_training_(for_training),
        job_(job),
        errors_(errors),
        reader_(schema, errors) {}

  void run(const std::vector<Field>& fields) {
    for (const Field& field : fields)
      if (!errors_.is_full()) blocks_.emplace_back(schema_, field, errors_);
    stage_names_ = named_stages(schema_, scopes(Pipeline::kStageFieldNumber));
    for (const StageSpec& known : job_.stages)
      stage_names_.try_emplace(known.name, NamedStage{known.arrays, known.is_keyed()});
    job_.stages.clear();
    scalars();
    plugins();
    network();
    losses();
    metrics();
    schedules();
    parameters();
    train();
    evaluate();
    stages();
    name_reports(schema_.registry(), report_places_, job_, errors_);
    completeness();
  }

 private:
  // Scopes of all blocks of a name, or of a number in a Pipeline, in order.
  std::vector<Scope> scopes(const char* name) const { return scopes(schema_.job()->FindFieldByName(name)); }
  std::vector<Scope> scopes(int number) const { return scopes(schema_.job()->FindFieldByNumber(number)); }
  std::vector<Scope> scopes(const pb::FieldDescriptor* field) const {
    std::vector<Scope> found;
    for (const TypedBlock& block : blocks_) {
      const Scope root{&schema_, &block, &block.message(), &block.tree(), file_, file_, &stage_names_};
      for (int i = 0; i < root.count(field); ++i) found.push_back(root.nested(field, i));
    }
    return found;
  }

  PluginSpec plugin(const Scope& block) const { return reader_.plugin(block); }
  std::string names_of_kind(const std::string& kind) const { return reader_.names_of_kind(kind); }

  void one_plugin(int block, PluginSpec& into) {
    for (const Scope& scope : scopes(block)) into = plugin(scope);
  }

  void all_plugins(int block, std::vector<PluginSpec>& into) {
    const auto found = scopes(block);
    if (!found.empty()) into.clear();
    for (const Scope& scope : found) into.push_back(plugin(scope));
  }

  void scalars() {
    for (const TypedBlock& block : blocks_) {
      const Scope scope{&schema_, &block, &block.message(), &block.tree(), file_, file_, &stage_names_};
      check_fields(scope, errors_);
      const auto& written = scope.as<Pipeline>();
      if (written.has_name()) job_name(written.name(), scope);
      if (written.has_seed()) job_.seed = static_cast<uint64_t>(written.seed());
      job_.plugins.insert(job_.plugins.end(), written.plugin().begin(), written.plugin().end());
      job_.plugin_path.insert(job_.plugin_path.end(), written.plugin_path().begin(),
                              written.plugin_path().end());
    }
  }

  void job_name(const std::string& name, const Scope& scope) {
    job_.name = name;
    if (const std::string fault = job_name_fault(name); !fault.empty())
      errors_.add(scope.place_of(Pipeline::kNameFieldNumber), "the job's name \"" + name + "\" " + fault,
                  "the folder of a run is called runs/NAME-TIME; another one is given by --run-dir");
  }

  void plugins() {
    one_plugin(Pipeline::kDeviceFieldNumber, job_.device);
    one_plugin(Pipeline::kSourceFieldNumber, job_.source);
    one_plugin(Pipeline::kTestFieldNumber, job_.test);
    one_plugin(Pipeline::kOptimizerFieldNumber, job_.optimizer);
    one_plugin(Pipeline::kReducerFieldNumber, job_.reducer);
    one_plugin(Pipeline::kOuterOptimizerFieldNumber, job_.outer_optimizer);
    all_plugins(Pipeline::kAugmentFieldNumber, job_.augment);
    all_plugins(Pipeline::kPreprocessFieldNumber, job_.preprocess);
    pretrain();
    validation();
    default_of_kind("device", job_.device);
    const bool trains = scopes("stage").empty() || !scopes("source").empty() || !scopes("layer").empty();
    if (trains) default_of_kind("reducer", job_.reducer);
  }

  void pretrain() {
    const auto found = scopes(Pipeline::kPretrainFieldNumber);
    if (!found.empty()) job_.pretrain.clear();
    for (const Scope& scope : found) job_.pretrain.push_back({plugin(scope), "", {}, {}, {}});
  }

  void validation() {
    for (const Scope& scope : scopes(Pipeline::kValidationFieldNumber)) {
      reader_.check(scope);
      const auto& written = scope.as<job::Validation>();
      const Place place = scope.place_of(job::Validation::kFractionFieldNumber);
      job_.validation_fraction = written.fraction();
      job_.validation_where = location_of(place);
      job_.validation = {};
      if (!written.has_fraction())
        job_.validation = plugin(scope);
      else if (configure_plugin(scope, errors_))
        errors_.add(place, "validation has a source of its own or a fraction of the source, not both");
    }
  }

  // Where a file writes none, the type that says it is the default of its kind.
  void default_of_kind(const std::string& kind, PluginSpec& spec) {
    if (spec || !scopes(kind.c_str()).empty()) return;
    std::vector<const TypeEntry*> found;
    for (const auto& [type, entry] : schema_.registry().types())
      if (type.kind == kind && PLAIT_HAS(entry.type, flags) &&
          (entry.type->flags & PLAIT_TYPE_DEFAULT_OF_KIND))
        found.push_back(&entry);
    if (found.size() != 1)
      return errors_.add(
          file_,
          "the job names no " + kind + ", and " +
              (found.empty() ? "no loaded plugin is" : "more than one is") + " the default",
          "as in: " + kind + " { ... }, with one of: " + reader_.names_of_kind(kind, ReducerUse::kShards));
    spec = plugin_with_defaults(schema_, *found[0], file_, errors_);
  }

  void network() {
    std::vector<LayerPlaces> places;
    const auto found = scopes(Pipeline::kLayerFieldNumber);
    if (!found.empty()) job_.layers.clear();
    for (const Scope& scope : found) {
      reader_.check(scope);
      LayerPlaces place{scope.place,
                        scope.place_of(job::Layer::kNameFieldNumber),
                        scope.place_of(job::Layer::kSharesFieldNumber),
                        {},
                        scope.is_broken(errors_)};
      job_.layers.push_back(layer(scope, place));
      places.push_back(std::move(place));
    }
    check_network(job_.layers, places, errors_);
  }

  LayerSpec layer(const Scope& scope, LayerPlaces& place) {
    const auto& written = scope.as<job::Layer>();
    LayerSpec layer;
    layer.name = written.name();
    if (written.has_name() && layer.name.empty())
      errors_.add(place.name, "a layer's name is empty");
    else if (written.has_name() && layer.name.find_first_not_of(' ') == std::string::npos)
      errors_.add(place.name, "a layer's name, \"" + layer.name + "\", is blank");
    layer.frozen = written.frozen();
    layer.rate_multiplier = written.rate_multiplier();
    layer.shares = written.shares();
    layer.where = location_of(scope.place);
    for (int i = 0; i < written.init_size(); ++i)
      init(scope.nested(job::Layer::kInitFieldNumber, i), written.init(i), layer);
    for (int i = 0; i < written.int8_size(); ++i)
      int8(scope.nested(job::Layer::kInt8FieldNumber, i), written.int8(i), layer);
    layer.inputs = references(scope, written.input(), job::Layer::kInputFieldNumber);
    for (int i = 0; i < written.input_size(); ++i)
      place.inputs.push_back(scope.place_of(job::Layer::kInputFieldNumber, i));
    layer.plugin = plugin(scope);
    return layer;
  }

  void init(const Scope& scope, const job::Layer::Init& written, LayerSpec& layer) {
    InitSpec init;
    init.array = written.array();
    init.parameter = written.has_parameter() ? written.parameter() : "weight";
    init.where = location_of(scope.place);
    if (!fill_init(scope, written, stage_names_, errors_, init)) return;
    for (const InitSpec& other : layer.init)
      if (other.parameter == init.parameter)
        errors_.add(scope.place, "\"" + init.parameter + "\" of a layer begins with two things");
    layer.init.push_back(std::move(init));
  }

  void int8(const Scope& scope, const job::Layer::Int8& written, LayerSpec& layer) {
    for (const Int8Range& other : layer.ranges)
      if (other.input == written.input())
        errors_.add(scope.place, "input " + std::to_string(written.input()) + " of a layer has two ranges");
    layer.ranges.push_back({written.input(), written.low(), written.high(), location_of(scope.place)});
  }

  // What field `number` of a loss or metric says, an input, target or part.
  InputRef reference(const Scope& scope, const std::string& text, int number) {
    return parse_input(text, scope.place_of(number), errors_);
  }

  // Where a file says nothing.
  static InputRef not_written(const Scope& scope, const std::string& otherwise) {
    return {otherwise, 0, location_of(scope.place)};
  }

  // Those that are written, in their order.
  std::vector<InputRef> references(const Scope& scope, const pb::RepeatedPtrField<std::string>& texts,
                                   int number) {
    std::vector<InputRef> found;
    for (int i = 0; i < texts.size(); ++i)
      found.push_back(parse_input(texts[i], scope.place_of(number, i), errors_));
    return found;
  }

  static bool wants_target(const PluginSpec& plugin) {
    return !plugin || loss_form(*plugin.entry->type).least_targets > 0;
  }

  void check_counts(const LossSpec& loss, const Scope& scope) {
    if (!loss.plugin) return;
    const LossForm form = loss_form(*loss.plugin.entry->type);
    const std::string name = "loss \"" + loss.plugin.entry->short_name() + "\"";
    if (const auto fault = form.prediction_fault(loss.inputs.size()); !fault.empty())
      errors_.add(scope.place, name + " " + fault, "as in: loss { input: \"a\" input: \"b\" ... }");
    if (const auto fault = form.target_fault(loss.targets.size()); !fault.empty())
      errors_.add(scope.place, name + " " + fault, "as in: loss { target: \"a\" target: \"b\" ... }");
    if (loss.weights && !form.takes_weights)
      errors_.add(scope.place_of(job::Loss::kWeightsFieldNumber),
                  name + " does not take a weight for each sample");
  }

  void check_name(const std::string& name, const Place& place, const std::string& whose) {
    if (const std::string fault = name_fault(name); !fault.empty())
      errors_.add(place, whose + ", \"" + name + "\", " + fault);
  }

  std::string last_layer() const { return job_.layers.empty() ? "" : job_.layers.back().name; }

  void losses() {
    const auto found = scopes(Pipeline::kLossFieldNumber);
    if (!found.empty()) job_.losses.clear();
    report_places_.losses.assign(job_.losses.size(), file_);
    for (const Scope& scope : found) job_.losses.push_back(loss(scope));
  }

  LossSpec loss(const Scope& scope) {
    using job::Loss;
    reader_.check(scope);
    const auto& written = scope.as<Loss>();
    LossSpec loss;
    loss.plugin = plugin(scope);
    loss.name = written.name();
    loss.name_written = written.has_name();
    loss.input_written = written.input_size() > 0;
    report_places_.losses.push_back(scope.place_of(Loss::kNameFieldNumber));
    if (written.has_name()) check_name(loss.name, report_places_.losses.back(), "a loss's name in reports");
    loss.weight = written.weight();
    loss.inputs = references(scope, written.input(), Loss::kInputFieldNumber);
    if (loss.inputs.empty()) loss.inputs.push_back(not_written(scope, last_layer()));
    loss.targets = references(scope, written.target(), Loss::kTargetFieldNumber);
    if (loss.targets.empty() && wants_target(loss.plugin)) loss.targets.push_back(not_written(scope, ""));
    if (written.has_weights()) loss.weights = reference(scope, written.weights(), Loss::kWeightsFieldNumber);
    check_counts(loss, scope);
    return loss;
  }

  void metrics() {
    const auto found = scopes(Pipeline::kMetricFieldNumber);
    if (!found.empty()) job_.metrics.clear();
    report_places_.metrics.assign(job_.metrics.size(), file_);
    for (const Scope& scope : found) job_.metrics.push_back(metric(scope));
  }

  MetricSpec metric(const Scope& scope) {
    using job::Metric;
    reader_.check(scope);
    const auto& written = scope.as<Metric>();
    MetricSpec metric;
    metric.plugin = plugin(scope);
    metric.name = written.name();
    metric.input_written = written.has_input();
    report_places_.metrics.push_back(scope.place_of(Metric::kNameFieldNumber));
    if (written.has_name())
      check_name(metric.name, report_places_.metrics.back(), "a metric's name in reports");
    metric.input = written.has_input() ? reference(scope, written.input(), Metric::kInputFieldNumber)
                                       : not_written(scope, last_layer());
    metric.target = written.has_target() ? reference(scope, written.target(), Metric::kTargetFieldNumber)
                                         : not_written(scope, "");
    return metric;
  }

  void schedules() {
    const auto found = scopes(Pipeline::kScheduleFieldNumber);
    if (!found.empty()) job_.schedules.clear();
    for (const Scope& scope : found) {
      reader_.check(scope);
      const auto& written = scope.as<job::Schedule>();
      ScheduleSpec schedule;
      schedule.field = written.has_field() ? written.field() : "rate";
      if (errors_.is_full()) return;
      schedule.plugin = plugin(scope);
      if (!written.has_field() && may_end(schedule.plugin)) {
        schedule.field = "";
      } else {
        check_scheduled(schedule.field, scope);
      }
      job_.schedules.push_back(std::move(schedule));
    }
  }

  bool may_end(const PluginSpec& schedule) const {
    if (!schedule) return false;
    const auto ops = schema_.registry().ops<plait_schedule_ops>(schedule.id());
    return ops && PLAIT_HAS(*ops, stop);
  }

  void check_scheduled(const std::string& name, const Scope& scope) {
    if (!job_.optimizer) return;
    const plait_type& type = *job_.optimizer.entry->type;
    std::string possible;
    for (uint32_t i = 0; i < type.n_fields; ++i) {
      if (!(type.fields[i]->flags & PLAIT_FIELD_RUNTIME)) continue;
      if (name == type.fields[i]->name) return check_scheduled_once(name, scope);
      possible += std::string(possible.empty() ? "" : ", ") + type.fields[i]->name;
    }
    errors_.add(scope.place_of(job::Schedule::kFieldFieldNumber),
                "no schedule can change \"" + name + "\" of " + job_.optimizer.entry->short_name(),
                possible.empty() ? "it has no field that may change" : "fields that may change: " + possible);
  }

  void check_scheduled_once(const std::string& name, const Scope& scope) {
    const auto same = [&](const ScheduleSpec& other) { return other.field == name; };
    if (std::any_of(job_.schedules.begin(), job_.schedules.end(), same))
      errors_.add(scope.place_of(job::Schedule::kFieldFieldNumber), "\"" + name + "\" has two schedules");
  }

  void parameters() {
    const auto found = scopes(Pipeline::kParametersFieldNumber);
    if (!found.empty()) job_.parameters.clear();
    for (const Scope& scope : found) {
      reader_.check(scope);
      const auto& written = scope.as<job::Parameters>();
      ParametersSpec one;
      one.match = written.match();
      one.where = location_of(scope.place);
      if (written.has_frozen()) one.frozen = written.frozen();
      if (written.has_decay()) one.decay = written.decay();
      if (written.has_rate_multiplier()) one.rate_multiplier = written.rate_multiplier();
      if (written.has_l1()) one.l1 = written.l1();
      if (written.has_l2()) one.l2 = written.l2();
      if (!one.frozen && !one.decay && !one.rate_multiplier && !one.l1 && !one.l2)
        errors_.add(scope.place, "parameters says nothing of \"" + one.match + "\"",
                    "one or more of frozen, rate_multiplier, decay, l1, l2");
      job_.parameters.push_back(std::move(one));
    }
  }

  void train() {
    for (const Scope& scope : scopes(Pipeline::kTrainFieldNumber)) {
      reader_.check(scope);
      take_train(scope);
    }
  }

  // What is not written stays as it is: a stage that a pretrainer builds has that of its job.
  void take_train(const Scope& scope) {
    const auto& written = scope.as<job::Train>();
    TrainSpec& train = job_.train;
    if (written.has_shards()) train.shards = static_cast<int>(written.shards());
    if (written.has_local_steps()) train.local_steps = static_cast<int>(written.local_steps());
    if (written.has_batch()) train.batch = static_cast<int>(written.batch());
    if (written.has_epochs()) train.epochs = written.epochs();
    if (written.has_epochs()) train.steps = 0;  // a stage's epochs win over a base job's steps
    if (written.has_steps()) train.steps = written.steps();
    if (written.has_lanes()) train.lanes = static_cast<int>(written.lanes());
    if (written.has_shuffle()) train.shuffle = written.shuffle();
    if (written.has_buckets()) train.buckets = written.buckets();
    if (written.has_encoder_memory())
      train.encoder_memory_bytes = static_cast<uint64_t>(written.encoder_memory());
    if (written.has_max_seconds()) train.max_seconds = written.max_seconds();
    if (written.has_checkpoint_every()) train.checkpoint_every = static_cast<int>(written.checkpoint_every());
    if (written.has_keep_checkpoints()) train.keep_checkpoints = static_cast<int>(written.keep_checkpoints());
    if (written.has_sync())
      train.sync = written.sync() == job::Train::gradients ? Sync::kGradients : Sync::kWeights;
    if (written.has_inner_state())
      train.inner_state =
          written.inner_state() == job::Train::reset ? InnerState::kReset : InnerState::kAverage;
    if (written.has_accumulate()) train.accumulate = static_cast<int>(written.accumulate());
    if (written.has_average_weights()) train.average_decay = written.average_weights().decay();
    if (written.has_restore_best()) {
      train.restore_best = written.restore_best();
      train.restore_best_where = location_of(scope.place_of(job::Train::kRestoreBestFieldNumber));
    }
    if (written.has_recalibrate()) {
      train.recalibrate = static_cast<int>(written.recalibrate());
      train.recalibrate_where = location_of(scope.place_of(job::Train::kRecalibrateFieldNumber));
    }
    if (written.has_clip()) take_clip(written.clip(), scope);
    if (written.has_precision())
      train.precision = written.precision() == job::Train::bf16 ? Precision::kBf16 : Precision::kF32;
    gradients_every_step(written, scope);
  }

  void take_clip(const job::Train::Clip& written, const Scope& scope) {
    using By = ClipSpec::By;
    const int count = written.has_value() + written.has_norm() + written.has_global_norm();
    if (count != 1)
      errors_.add(scope.nested(job::Train::kClipFieldNumber, 0).place,
                  "clip bounds a gradient in one way: got " + std::to_string(count) +
                      ", wanted one of value, norm, global_norm",
                  "as in: clip { global_norm: 1 }");
    if (written.has_value()) job_.train.clip = {By::kValue, written.value()};
    if (written.has_norm()) job_.train.clip = {By::kNorm, written.norm()};
    if (written.has_global_norm()) job_.train.clip = {By::kGlobalNorm, written.global_norm()};
  }

  // sync: gradients is a reduction each step; a file need not say so.
  void gradients_every_step(const job::Train& written, const Scope& scope) {
    if (job_.train.sync != Sync::kGradients || job_.train.local_steps == 1) return;
    if (written.has_local_steps())
      errors_.add(scope.place_of(job::Train::kLocalStepsFieldNumber),
                  "sync: gradients reduces at each step: local_steps is 1, got " +
                      std::to_string(job_.train.local_steps),
                  "for several local steps write sync: weights");
    job_.train.local_steps = 1;
  }

  void evaluate() {
    for (const Scope& scope : scopes(Pipeline::kEvaluateFieldNumber)) {
      reader_.check(scope);
      const auto& written = scope.as<job::Evaluate>();
      if (written.has_batch()) job_.evaluate.batch = static_cast<int>(written.batch());
      if (written.has_memory()) job_.evaluate.memory_bytes = static_cast<uint64_t>(written.memory());
      if (!written.has_monitor()) continue;
      job_.evaluate.monitor = written.monitor();
      report_places_.monitor = scope.place_of(job::Evaluate::kMonitorFieldNumber);
      job_.evaluate.monitor_where = location_of(report_places_.monitor);
    }
  }

  void stages() {
    const JobBlocks blocks{[this](const char* block) { return scopes(block); },
                           [this](const Scope& train) { take_train(train); }};
    read_stages(reader_, scopes(Pipeline::kStageFieldNumber), stage_names_, blocks, job_);
  }

  // What a job cannot do without. Only where nothing else is wrong: a block that was left out is not missing.
  void completeness() {
    if (errors_.any()) return;
    if (job_.is_stages_only()) return refuse_blocks_of_training();
    if (job_.layers.empty())
      errors_.add(file_, "the job has no layer", "possible: " + names_of_kind("layer"));
    if (!for_training_) return;
    if (!job_.source)
      errors_.add(file_, "the job has no source of training records", "possible: " + names_of_kind("source"));
    if (job_.losses.empty())
      errors_.add(file_, "the job has no loss, so there is nothing to train for",
                  "possible: " + names_of_kind("loss"));
    if (!job_.optimizer)
      errors_.add(file_, "the job has no optimizer", "possible: " + names_of_kind("optimizer"));
  }

  // What only training reads would be passed over in silence. (A resolved job has the others of training.)
  void refuse_blocks_of_training() {
    for (const char* block :
         {"validation", "test", "augment", "preprocess", "pretrain", "metric", "schedule", "outer_optimizer"})
      for (const Scope& scope : scopes(block))
        errors_.add(
            scope.place, std::string("\"") + block + "\" is of training, and the job has no layer to train",
            "its stages have blocks of their own, as in: stage { source { ... } preprocess { ... } }");
  }

  const Schema& schema_;
  const Place file_;
  const bool for_training_;
  Job& job_;
  Errors& errors_;
  const BlockReader reader_;
  ReportPlaces report_places_;
  StageNames stage_names_;
  std::deque<TypedBlock> blocks_;
};

}  // namespace

void to_job(const Schema& schema, const std::vector<Field>& fields, const Place& file, bool for_training,
            Job& job, Errors& errors) {
  JobMaker(schema, file, for_training, job, errors).run(fields);
}

}  // namespace plait::inline pipeline
