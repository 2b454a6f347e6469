#include "pipeline/to_job.h"

#include <algorithm>
#include <deque>

#include "pipeline/job_name.h"
#include "pipeline/network_check.h"
#include "pipeline/report_names.h"
#include "pipeline/stage_order.h"
#include "registry/loss_form.h"

namespace plait {
namespace {

// Typed reading of a configured block.
template <class T>
T value_or(const plait_config& config, const char* name, T otherwise) {
  const ConfigField* field = config.find(name);
  return field && !field->values.empty() ? std::get<T>(field->values[0]) : otherwise;
}

bool is_written(const plait_config& config, const char* name) {
  const ConfigField* field = config.find(name);
  return field && !field->is_default;
}

class JobMaker {
 public:
  JobMaker(const Schema& schema, const Place& file, bool for_training, Job& job, Errors& errors)
      : schema_(schema), file_(file), for_training_(for_training), job_(job), errors_(errors) {}

  void run(const std::vector<Field>& fields) {
    for (const Field& field : fields)
      if (!errors_.is_full()) blocks_.emplace_back(schema_, field, errors_);
    name_stages();
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

  std::shared_ptr<plait_config> own(const char* block, const Scope& scope) {
    std::vector<const plait_field*> values;  // plugins beside them are read with their places: see child
    for (const plait_field* field : core_block(block).fields)
      if (field->kind != PLAIT_FIELD_CHILD) values.push_back(field);
    return configure(scope, values.data(), values.size(), errors_);
  }

  static const pb::FieldDescriptor* field_of(const Scope& scope, const char* name) {
    return scope.message->GetDescriptor()->FindFieldByName(name);
  }

  // Plugin `index` in own field `name` of a block.
  PluginSpec child(const Scope& scope, const char* name, const char* kind, int index = 0) {
    if (index >= scope.count(field_of(scope, name))) return {};
    const Scope inside = scope.nested(field_of(scope, name), index);
    PluginSpec spec = configure_plugin(inside, errors_);
    if (!spec && !inside.is_broken(errors_))
      errors_.add(inside.place, std::string("\"") + name + "\" wants a plugin of kind " + kind,
                  "possible here: " + names_of_kind(kind));
    return spec;
  }

  PluginSpec plugin(const char* block, const Scope& scope) {
    PluginSpec spec = configure_plugin(scope, errors_);
    if (!spec && !scope.is_broken(errors_))
      errors_.add(scope.place,
                  std::string("\"") + block + "\" wants a plugin of kind " + core_block(block).plugin_kind,
                  "possible here: " + names_of_kind(core_block(block).plugin_kind));
    return spec;
  }

  std::string names_of_kind(const std::string& kind) const {
    std::string names;
    for (const auto& [id, entry] : schema_.registry().types())
      if (entry.type->kind == kind) names += (names.empty() ? "" : ", ") + entry.short_name();
    return names.empty() ? "nothing, since no loaded plugin is a " + kind : names;
  }

  void one_plugin(const char* block, PluginSpec& into) {
    for (const Scope& scope : scopes(block)) into = plugin(block, scope);
  }

  void all_plugins(const char* block, std::vector<PluginSpec>& into) {
    const auto found = scopes(block);
    if (!found.empty()) into.clear();
    for (const Scope& scope : found) into.push_back(plugin(block, scope));
  }

  // Before all else, since fields of other blocks name them.
  void name_stages() {
    for (const Scope& scope : scopes("stage")) {
      const auto* name_field = field_of(scope, "name");
      std::string name =
          scope.has(name_field) ? scope.message->GetReflection()->GetString(*scope.message, name_field) : "";
      for (const auto& [id, field] : schema_.meaning(scope.message->GetDescriptor()).plugins) {
        if (!scope.has(field)) continue;
        const TypeEntry& task = *schema_.meaning(field).plugin;
        if (name.empty()) name = task.short_name();
        stage_names_.try_emplace(name, NamedStage{std::make_shared<StageArrays>(), !has_accumulators(task)});
      }
    }
  }

  static bool has_accumulators(const TypeEntry& task) {
    const auto& rules = *static_cast<const plait_task_rules*>(task.type->rules);
    return PLAIT_HAS(&rules, flags) && (rules.flags & PLAIT_TASK_ACCUMULATES) != 0;
  }

  void scalars() {
    const auto& table = core_scalars();
    for (const TypedBlock& block : blocks_) {
      const Scope scope{&schema_, &block, &block.message(), &block.tree(), file_, file_, &stage_names_};
      const auto config = configure(scope, table.data(), table.size(), errors_);
      if (is_written(*config, "name")) job_name(value_or<std::string>(*config, "name", ""), scope);
      if (is_written(*config, "seed"))
        job_.seed = static_cast<uint64_t>(value_or<int64_t>(*config, "seed", 1));
      append(*config, "plugin", job_.plugins);
      append(*config, "plugin_path", job_.plugin_path);
    }
  }

  void job_name(const std::string& name, const Scope& scope) {
    job_.name = name;
    if (const std::string fault = job_name_fault(name); !fault.empty())
      errors_.add(scope.place_of("name"), "the job's name \"" + name + "\" " + fault,
                  "the folder of a run is called runs/NAME-TIME; another one is given by --run-dir");
  }

  static void append(const plait_config& config, const char* name, std::vector<std::string>& into) {
    if (const ConfigField* field = config.find(name))
      for (const ConfigValue& value : field->values) into.push_back(std::get<std::string>(value));
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
    all_plugins("pretrain", job_.pretrain);
    validation();
    default_of_kind("device", job_.device);
    default_of_kind("reducer", job_.reducer);
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
    for (const auto& [id, entry] : schema_.registry().types())
      if (entry.type->kind == kind && PLAIT_HAS(entry.type, flags) &&
          (entry.type->flags & PLAIT_TYPE_DEFAULT_OF_KIND))
        found.push_back(&entry);
    if (found.size() != 1)
      return errors_.add(file_,
                         "the job names no " + kind + ", and " +
                             (found.empty() ? "no loaded plugin is" : "more than one is") + " the default",
                         "as in: " + kind + " { ... }, with one of: " + names_of_kind(kind));
    const plait_type& type = *found[0]->type;
    const Scope scope{&schema_, nullptr, nullptr, nullptr, file_, file_};
    spec = {found[0], configure(scope, type.fields, type.n_fields, errors_), location_of(file_)};
    spec.config->type = &type;
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
      for (int i = 0; i < scope.count(field_of(scope, "init")); ++i) init(scope, i, *config, layer);
      std::vector<std::string> inputs;
      append(*config, "input", inputs);
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
    const Place place = scope.nested(field_of(scope, "init"), number).place;
    init.where = location_of(place);
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
    for (const Scope& scope : scopes("train")) {
      const auto config = own("train", scope);
      TrainSpec& train = job_.train;
      take(*config, "shards", train.shards);
      take(*config, "local_steps", train.local_steps);
      take(*config, "batch", train.batch);
      take(*config, "epochs", train.epochs);
      if (is_written(*config, "epochs")) train.steps = 0;  // a stage's epochs win over a base job's steps
      take(*config, "steps", train.steps);
      take(*config, "lanes", train.lanes);
      take(*config, "shuffle", train.shuffle);
      take(*config, "buckets", train.buckets);
      take(*config, "max_seconds", train.max_seconds);
      take(*config, "checkpoint_every", train.checkpoint_every);
      take(*config, "keep_checkpoints", train.keep_checkpoints);
      if (is_written(*config, "sync"))
        train.sync =
            value_or<std::string>(*config, "sync", "") == "gradients" ? Sync::kGradients : Sync::kWeights;
      if (is_written(*config, "inner_state"))
        train.inner_state = value_or<std::string>(*config, "inner_state", "") == "reset"
                                ? InnerState::kReset
                                : InnerState::kAverage;
      gradients_every_step(*config, scope);
    }
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

  template <class T>
  static void take(const plait_config& config, const char* name, T& into) {
    using Stored = std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, double>, T, int64_t>;
    if (is_written(config, name)) into = static_cast<T>(value_or<Stored>(config, name, Stored{}));
  }

  void evaluate() {
    for (const Scope& scope : scopes("evaluate")) {
      const auto config = own("evaluate", scope);
      take(*config, "batch", job_.evaluate.batch);
      take(*config, "memory", job_.evaluate.memory_bytes);
      if (!is_written(*config, "monitor")) continue;
      job_.evaluate.monitor = value_or<std::string>(*config, "monitor", "");
      report_places_.monitor = scope.place_of("monitor");
      job_.evaluate.monitor_where = location_of(report_places_.monitor);
    }
  }

  void stages() {
    const auto found = scopes("stage");
    if (!found.empty()) job_.stages.clear();
    std::vector<Place> places;
    for (const Scope& scope : found) {
      const auto config = own("stage", scope);
      places.push_back(scope.place);
      StageSpec stage;
      stage.where = location_of(scope.place);
      stage.task = plugin("stage", scope);
      stage.source = child(scope, "source", "source");
      const ConfigField& from = *config->find("from");
      stage.from = value_or<std::string>(*config, "from", "");
      if (!from.stages.empty()) stage.from_stage = from.stages.front();
      append(*config, "array", stage.from_arrays);
      network_records(scope, *config, stage);
      for (int i = 0; i < scope.count(field_of(scope, "preprocess")); ++i)
        stage.preprocess.push_back(child(scope, "preprocess", "augmenter", i));
      stage.combiner = child(scope, "combiner", "combiner");
      stage.reducer = child(scope, "reducer", "reducer");
      take(*config, "split", stage.split);
      stage.memory_bytes = static_cast<uint64_t>(value_or<int64_t>(*config, "memory", 1 << 30));
      take(*config, "passes", stage.most_passes);
      stage.name = value_or<std::string>(*config, "name", "");
      if (stage.name.empty() && stage.task) stage.name = stage.task.entry->short_name();
      stage.output = value_or<std::string>(*config, "output", "");
      complete(stage, scope);
      if (stage.output.empty()) stage.output = stage.name + (stage.is_keyed() ? ".tsv" : ".safetensors");
      check_names(stage, scope);
      if (const auto named = stage_names_.find(stage.name); named != stage_names_.end() && !stage.is_keyed())
        stage.arrays = named->second.arrays;
      job_.stages.push_back(std::move(stage));
    }
    if (!found.empty() && !errors_.any()) order_stages(job_, places, errors_);
  }

  void network_records(const Scope& scope, const plait_config& config, StageSpec& stage) {
    const ConfigField& field = *config.find("network");
    if (field.values.empty()) return;
    const plait_config& written = *std::get<std::shared_ptr<plait_config>>(field.values.front());
    NetworkRecordsSpec network;
    const Scope at = scope.nested(field_of(scope, "network"), 0);
    network.where = location_of(at.place);
    append(written, "layer", network.layers);
    network.on = value_or<std::string>(written, "on", "test");
    network.weights = value_or<std::string>(written, "weights", "last");
    if (network.layers.empty()) network.layers.push_back(last_layer());
    for (size_t i = 0; i < network.layers.size(); ++i) check_kept(network, i, at);
    const bool has_validation = job_.validation || job_.validation_fraction > 0;
    const bool is_there = network.on == "train"  ? static_cast<bool>(job_.source)
                          : network.on == "test" ? static_cast<bool>(job_.test)
                                                 : has_validation;
    if (!is_there && !at.is_broken(errors_))
      errors_.add(at.place, "the job has no " + network.on + " records for the network to be given");
    if (network.weights == "best" && !has_validation)
      errors_.add(at.place, "the job has no validation records, which the best weights are chosen by");
    stage.from_stage = std::make_shared<StageArrays>();
    stage.network = std::move(network);
  }

  void check_kept(const NetworkRecordsSpec& network, size_t i, const Scope& at) {
    const std::string& name = network.layers[i];
    const Place place = network.layers.size() > 1 || at.count(field_of(at, "layer")) > 0
                            ? at.place_of("layer", static_cast<int>(i))
                            : at.place;
    if (std::ranges::none_of(job_.layers, [&](const LayerSpec& layer) { return layer.name == name; }))
      errors_.add(place, job_.layers.empty() ? "the job has no network"
                                             : "the network has no layer \"" + name + "\"");
    if (std::find(network.layers.begin(), network.layers.begin() + static_cast<std::ptrdiff_t>(i), name) !=
        network.layers.begin() + static_cast<std::ptrdiff_t>(i))
      errors_.add(place, "layer \"" + name + "\" is named twice");
  }

  // What a file may leave to the task.
  void complete(StageSpec& stage, const Scope& scope) {
    const int origins = (stage.source ? 1 : 0) + (stage.from.empty() ? 0 : 1) + (stage.network ? 1 : 0);
    if (origins == 0 && !scope.is_broken(errors_))
      errors_.add(
          scope.place, "the stage has no source of records",
          "as in: source { ... }, with one of: " + names_of_kind("source") +
              "; or from: \"...\", another stage; or network { ... }, what the trained network makes");
    if (origins > 1)
      errors_.add(stage.from.empty() ? scope.place_of("network") : scope.place_of("from"),
                  "a stage has a source, or reads another stage, or the network: one of them");
    if (stage.from.empty() && !stage.from_arrays.empty())
      errors_.add(scope.place_of("array"), "arrays are of the stage that \"from\" names, and none is");
    if (!stage.task) return;
    const auto& rules = *static_cast<const plait_task_rules*>(stage.task.entry->type->rules);
    if (has_accumulators(*stage.task.entry)) {
      for (const char* of_pairs : {"combiner", "reducer"})
        if (scope.count(field_of(scope, of_pairs)) > 0)
          errors_.add(scope.place_of(of_pairs), "the task " + stage.task.entry->short_name() +
                                                    " fills accumulators, and emits no pairs that a " +
                                                    of_pairs + " could take");
      stage.combiner = stage.reducer = {};
      return;
    }
    by_default(rules.reducer, "reducer", stage.task, stage.reducer, scope);
    // The task's combiner is made for the task's reducer: another one may want every value.
    if (rules.reducer != nullptr && stage.reducer.id() == rules.reducer)
      by_default(rules.combiner, "combiner", stage.task, stage.combiner, scope);
    if (!stage.reducer && !scope.is_broken(errors_))
      errors_.add(scope.place,
                  "the stage has no reducer, and the task " + stage.task.entry->short_name() + " names none",
                  "as in: reducer { ... }, with one of: " + names_of_kind("reducer"));
    if (stage.reducer && stage.reducer.entry->type->rules == nullptr)
      errors_.add(scope.place_of("reducer"),
                  "the reducer " + stage.reducer.entry->short_name() +
                      " is for the shards of training; wanted one of values by key");
  }

  void by_default(const char* id, const char* kind, const PluginSpec& task, PluginSpec& spec,
                  const Scope& scope) {
    if (spec || id == nullptr || scope.count(field_of(scope, kind)) > 0) return;
    const TypeEntry* entry = schema_.registry().find(id);
    if (entry == nullptr || std::string(entry->type->kind) != kind)
      return errors_.add(scope.place, std::string("the ") + kind + " of the task " +
                                          task.entry->short_name() + ", " + id + ", is not loaded");
    const plait_type& type = *entry->type;
    const Scope none{&schema_, nullptr, nullptr, nullptr, scope.place, scope.place};
    spec = {entry, configure(none, type.fields, type.n_fields, errors_), location_of(scope.place)};
    spec.config->type = &type;
  }

  // The output lies in the run's folder, beside what a run itself writes there.
  void check_names(const StageSpec& stage, const Scope& scope) {
    for (const StageSpec& other : job_.stages) {
      if (other.name == stage.name)
        errors_.add(scope.place_of("name"), "two stages are named \"" + stage.name + "\"");
      else if (other.output == stage.output)
        errors_.add(scope.place_of("output"), "two stages write \"" + stage.output + "\"");
    }
    if (const std::string fault = name_fault(stage.name); !fault.empty())
      return errors_.add(scope.place_of("name"), "the stage's name \"" + stage.name + "\" " + fault);
    const std::string& file = stage.output;
    if (file.size() > kMaxJobName_bytes)
      return errors_.add(scope.place_of("output"),
                         "the output \"" + file + "\" has " + std::to_string(file.size()) +
                             " bytes, wanted a name of at most " + std::to_string(kMaxJobName_bytes));
    const auto is_kind = [&](std::initializer_list<std::string_view> endings) {
      return std::ranges::any_of(endings, [&](std::string_view ending) {
        return file.ends_with(ending) && file.size() > ending.size();
      });
    };
    const bool is_keyed = stage.is_keyed();
    const bool is_file = is_kind({".tsv", ".csv"}) || (!is_keyed && is_kind({".npy", ".safetensors"}));
    const bool is_of_run = file == "curve.csv" || file == "weights.safetensors";
    if (!is_file || is_of_run || file.front() == '.' || file.find('/') != std::string::npos)
      errors_.add(
          scope.place_of("output"),
          "the output \"" + file + "\" is no name of a .tsv" +
              (is_keyed ? " or .csv" : ", .csv, .npy or .safetensors") + " file for the run's folder",
          "as in: output: \"words.tsv\"; no folders, and not " +
              std::string(is_keyed ? "curve.csv, which is" : "curve.csv or weights.safetensors, which are") +
              " the run's own");
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
  ReportPlaces report_places_;
  StageNames stage_names_;
  std::deque<TypedBlock> blocks_;
};

}  // namespace

void to_job(const Schema& schema, const std::vector<Field>& fields, const Place& file, bool for_training,
            Job& job, Errors& errors) {
  JobMaker(schema, file, for_training, job, errors).run(fields);
}

}  // namespace plait
