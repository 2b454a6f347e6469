#include "pipeline/to_job.h"

#include <algorithm>
#include <deque>

#include "pipeline/block_reader.h"
#include "pipeline/job_name.h"
#include "pipeline/network_check.h"
#include "pipeline/report_names.h"
#include "pipeline/stage_blocks.h"
#include "registry/loss_form.h"

namespace plait::inline pipeline {
namespace {

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
    stage_names_ = named_stages(schema_, scopes("stage"));
    scalars();
    plugins();
    network();
    losses();
    metrics();
    schedules();
    train();
    evaluate();
    stages();
    name_reports(schema_.registry(), report_places_, job_, errors_);
    completeness();
  }

 private:
  // Scopes of all blocks of a name, in order.
  std::vector<Scope> scopes(const char* name) const {
    std::vector<Scope> found;
    const auto* field = schema_.job()->FindFieldByName(name);
    for (const TypedBlock& block : blocks_) {
      const Scope root{&schema_, &block, &block.message(), &block.tree(), file_, file_, &stage_names_};
      for (int i = 0; i < root.count(field); ++i) found.push_back(root.nested(field, i));
    }
    return found;
  }

  std::shared_ptr<plait_config> own(const char* block, const Scope& scope) const {
    return reader_.own(block, scope);
  }
  PluginSpec plugin(const char* block, const Scope& scope) const { return reader_.plugin(block, scope); }
  std::string names_of_kind(const std::string& kind) const { return reader_.names_of_kind(kind); }

  void one_plugin(const char* block, PluginSpec& into) {
    for (const Scope& scope : scopes(block)) into = plugin(block, scope);
  }

  void all_plugins(const char* block, std::vector<PluginSpec>& into) {
    const auto found = scopes(block);
    if (!found.empty()) into.clear();
    for (const Scope& scope : found) into.push_back(plugin(block, scope));
  }

  void scalars() {
    const auto& table = core_scalars();
    for (const TypedBlock& block : blocks_) {
      const Scope scope{&schema_, &block, &block.message(), &block.tree(), file_, file_, &stage_names_};
      const auto config = configure(scope, table.data(), table.size(), errors_);
      if (is_written(*config, "name")) job_name(value_or<std::string>(*config, "name", ""), scope);
      if (is_written(*config, "seed"))
        job_.seed = static_cast<uint64_t>(value_or<int64_t>(*config, "seed", 1));
      append_texts(*config, "plugin", job_.plugins);
      append_texts(*config, "plugin_path", job_.plugin_path);
    }
  }

  void job_name(const std::string& name, const Scope& scope) {
    job_.name = name;
    if (const std::string fault = job_name_fault(name); !fault.empty())
      errors_.add(scope.place_of("name"), "the job's name \"" + name + "\" " + fault,
                  "the folder of a run is called runs/NAME-TIME; another one is given by --run-dir");
  }

  void plugins() {
    one_plugin("device", job_.device);
    one_plugin("source", job_.source);
    one_plugin("test", job_.test);
    one_plugin("optimizer", job_.optimizer);
    one_plugin("reducer", job_.reducer);
    one_plugin("outer_optimizer", job_.outer_optimizer);
    all_plugins("augment", job_.augment);
    all_plugins("preprocess", job_.preprocess);
    pretrain();
    validation();
    default_of_kind("device", job_.device);
    default_of_kind("reducer", job_.reducer);
  }

  void pretrain() {
    const auto found = scopes("pretrain");
    if (!found.empty()) job_.pretrain.clear();
    for (const Scope& scope : found) job_.pretrain.push_back({plugin("pretrain", scope), "", {}, {}, {}});
  }

  void validation() {
    for (const Scope& scope : scopes("validation")) {
      const auto config = own("validation", scope);
      job_.validation_fraction = value_or<double>(*config, "fraction", 0);
      job_.validation_where = location_of(scope.place_of("fraction"));
      job_.validation = {};
      if (!is_written(*config, "fraction"))
        job_.validation = plugin("validation", scope);
      else if (configure_plugin(scope, errors_))
        errors_.add(scope.place_of("fraction"),
                    "validation has a source of its own or a fraction of the source, not both");
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
      return errors_.add(file_,
                         "the job names no " + kind + ", and " +
                             (found.empty() ? "no loaded plugin is" : "more than one is") + " the default",
                         "as in: " + kind + " { ... }, with one of: " + names_of_kind(kind));
    spec = plugin_with_defaults(schema_, *found[0], file_, errors_);
  }

  void network() {
    std::vector<LayerPlaces> places;
    const auto found = scopes("layer");
    if (!found.empty()) job_.layers.clear();
    for (const Scope& scope : found) {
      const auto config = own("layer", scope);
      LayerSpec layer;
      LayerPlaces place{
          scope.place, scope.place_of("name"), scope.place_of("shares"), {}, scope.is_broken(errors_)};
      layer.name = value_or<std::string>(*config, "name", "");
      if (is_written(*config, "name") && layer.name.empty())
        errors_.add(place.name, "a layer's name is empty");
      else if (is_written(*config, "name") && layer.name.find_first_not_of(' ') == std::string::npos)
        errors_.add(place.name, "a layer's name, \"" + layer.name + "\", is blank");
      layer.frozen = value_or<bool>(*config, "frozen", false);
      layer.rate_multiplier = value_or<double>(*config, "rate_multiplier", 1);
      layer.shares = value_or<std::string>(*config, "shares", "");
      layer.where = location_of(scope.place);
      for (int i = 0; i < BlockReader::count(scope, "init"); ++i) init(scope, i, *config, layer);
      std::vector<std::string> inputs;
      append_texts(*config, "input", inputs);
      for (size_t i = 0; i < inputs.size(); ++i) {
        place.inputs.push_back(scope.place_of("input", static_cast<int>(i)));
        layer.inputs.push_back(parse_input(inputs[i], place.inputs[i], errors_));
      }
      layer.plugin = plugin("layer", scope);
      job_.layers.push_back(std::move(layer));
      places.push_back(std::move(place));
    }
    check_network(job_.layers, places, errors_);
  }

  void init(const Scope& scope, int number, const plait_config& config, LayerSpec& layer) {
    const ConfigField& field = *config.find("init");
    const plait_config& written =
        *std::get<std::shared_ptr<plait_config>>(field.values[static_cast<size_t>(number)]);
    const ConfigField& from = *written.find("from");
    if (from.stages.empty() || from.stages.front() == nullptr) return;  // told already
    InitSpec init;
    init.stage = from.stages.front();
    init.from = std::get<std::string>(from.values.front());
    init.array = value_or<std::string>(written, "array", "");
    init.parameter = value_or<std::string>(written, "parameter", "weight");
    const Place place = BlockReader::nested(scope, "init", number).place;
    init.where = location_of(place);
    if (stage_names_.at(init.from).makes_pairs)
      return errors_.add(BlockReader::nested(scope, "init", number).place_of("from"), pairs_text(init.from),
                         kNoArrays);
    for (const InitSpec& other : layer.init)
      if (other.parameter == init.parameter)
        errors_.add(place, "\"" + init.parameter + "\" of a layer begins with two arrays");
    layer.init.push_back(std::move(init));
  }

  // An input or target of a loss or metric; `otherwise` where it is not written.
  InputRef reference(const Scope& scope, const plait_config& config, const char* name,
                     const std::string& otherwise) {
    const std::string text = value_or<std::string>(config, name, "");
    if (is_written(config, name)) return parse_input(text, scope.place_of(name), errors_);
    return {otherwise, 0, location_of(scope.place)};
  }

  // Those that are written, in their order.
  std::vector<InputRef> references(const Scope& scope, const plait_config& config, const char* name) {
    std::vector<InputRef> found;
    if (!is_written(config, name)) return found;
    const auto& values = config.find(name)->values;
    for (size_t i = 0; i < values.size(); ++i)
      found.push_back(
          parse_input(std::get<std::string>(values[i]), scope.place_of(name, static_cast<int>(i)), errors_));
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
      errors_.add(scope.place_of("weights"), name + " does not take a weight for each sample");
  }

  void written_name(const plait_config& config, const Scope& scope, const std::string& whose) {
    if (!is_written(config, "name")) return;
    const std::string name = value_or<std::string>(config, "name", "");
    if (const std::string fault = name_fault(name); !fault.empty())
      errors_.add(scope.place_of("name"), whose + ", \"" + name + "\", " + fault);
  }

  std::string last_layer() const { return job_.layers.empty() ? "" : job_.layers.back().name; }

  void losses() {
    const auto found = scopes("loss");
    if (!found.empty()) job_.losses.clear();
    report_places_.losses.assign(job_.losses.size(), file_);
    for (const Scope& scope : found) {
      const auto config = own("loss", scope);
      LossSpec loss;
      loss.plugin = plugin("loss", scope);
      loss.name = value_or<std::string>(*config, "name", "");
      loss.name_written = is_written(*config, "name");
      loss.input_written = is_written(*config, "input");
      report_places_.losses.push_back(scope.place_of("name"));
      written_name(*config, scope, "a loss's name in reports");
      loss.weight = value_or<double>(*config, "weight", 1);
      loss.inputs = references(scope, *config, "input");
      if (loss.inputs.empty()) loss.inputs.push_back(reference(scope, *config, "input", last_layer()));
      loss.targets = references(scope, *config, "target");
      if (loss.targets.empty() && wants_target(loss.plugin))
        loss.targets.push_back(reference(scope, *config, "target", ""));
      if (is_written(*config, "weights")) loss.weights = reference(scope, *config, "weights", "");
      check_counts(loss, scope);
      job_.losses.push_back(std::move(loss));
    }
  }

  void metrics() {
    const auto found = scopes("metric");
    if (!found.empty()) job_.metrics.clear();
    report_places_.metrics.assign(job_.metrics.size(), file_);
    for (const Scope& scope : found) {
      const auto config = own("metric", scope);
      MetricSpec metric;
      metric.plugin = plugin("metric", scope);
      metric.name = value_or<std::string>(*config, "name", "");
      metric.input_written = is_written(*config, "input");
      report_places_.metrics.push_back(scope.place_of("name"));
      written_name(*config, scope, "a metric's name in reports");
      metric.input = reference(scope, *config, "input", last_layer());
      metric.target = reference(scope, *config, "target", "");
      job_.metrics.push_back(std::move(metric));
    }
  }

  void schedules() {
    const auto found = scopes("schedule");
    if (!found.empty()) job_.schedules.clear();
    for (const Scope& scope : found) {
      const auto config = own("schedule", scope);
      ScheduleSpec schedule;
      schedule.field = value_or<std::string>(*config, "field", "rate");
      if (errors_.is_full()) return;
      schedule.plugin = plugin("schedule", scope);
      if (!is_written(*config, "field") && may_end(schedule.plugin)) {
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
    errors_.add(scope.place_of("field"),
                "no schedule can change \"" + name + "\" of " + job_.optimizer.entry->short_name(),
                possible.empty() ? "it has no field that may change" : "fields that may change: " + possible);
  }

  void check_scheduled_once(const std::string& name, const Scope& scope) {
    const auto same = [&](const ScheduleSpec& other) { return other.field == name; };
    if (std::any_of(job_.schedules.begin(), job_.schedules.end(), same))
      errors_.add(scope.place_of("field"), "\"" + name + "\" has two schedules");
  }

  void train() {
    for (const Scope& scope : scopes("train")) take_train(*own("train", scope), scope);
  }

  void take_train(const plait_config& config, const Scope& scope) {
    TrainSpec& train = job_.train;
    take_written(config, "shards", train.shards);
    take_written(config, "local_steps", train.local_steps);
    take_written(config, "batch", train.batch);
    take_written(config, "epochs", train.epochs);
    if (is_written(config, "epochs")) train.steps = 0;  // a stage's epochs win over a base job's steps
    take_written(config, "steps", train.steps);
    take_written(config, "lanes", train.lanes);
    take_written(config, "shuffle", train.shuffle);
    take_written(config, "buckets", train.buckets);
    take_written(config, "encoder_memory", train.encoder_memory_bytes);
    take_written(config, "max_seconds", train.max_seconds);
    take_written(config, "checkpoint_every", train.checkpoint_every);
    take_written(config, "keep_checkpoints", train.keep_checkpoints);
    if (is_written(config, "sync"))
      train.sync =
          value_or<std::string>(config, "sync", "") == "gradients" ? Sync::kGradients : Sync::kWeights;
    if (is_written(config, "inner_state"))
      train.inner_state = value_or<std::string>(config, "inner_state", "") == "reset" ? InnerState::kReset
                                                                                      : InnerState::kAverage;
    gradients_every_step(config, scope);
  }

  // sync: gradients is a reduction each step; a file need not say so.
  void gradients_every_step(const plait_config& config, const Scope& scope) {
    if (job_.train.sync != Sync::kGradients || job_.train.local_steps == 1) return;
    if (is_written(config, "local_steps"))
      errors_.add(scope.place_of("local_steps"),
                  "sync: gradients reduces at each step: local_steps is 1, got " +
                      std::to_string(job_.train.local_steps),
                  "for several local steps write sync: weights");
    job_.train.local_steps = 1;
  }

  void evaluate() {
    for (const Scope& scope : scopes("evaluate")) {
      const auto config = own("evaluate", scope);
      take_written(*config, "batch", job_.evaluate.batch);
      take_written(*config, "memory", job_.evaluate.memory_bytes);
      if (!is_written(*config, "monitor")) continue;
      job_.evaluate.monitor = value_or<std::string>(*config, "monitor", "");
      report_places_.monitor = scope.place_of("monitor");
      job_.evaluate.monitor_where = location_of(report_places_.monitor);
    }
  }

  void stages() {
    const JobBlocks blocks{
        [this](const char* block) { return scopes(block); },
        [this](const plait_config& config, const Scope& scope) { take_train(config, scope); }};
    read_stages(reader_, scopes("stage"), stage_names_, blocks, job_);
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
