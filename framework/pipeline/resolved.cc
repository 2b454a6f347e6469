#include "pipeline/resolved.h"

#include <algorithm>
#include <set>

#include "pipeline/core_fields.h"
#include "pipeline/init_block.h"
#include "pipeline/lexer.h"
#include "pipeline/stage_source.h"
#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

std::string config_text(const plait_config& config, Detail detail);

std::string braces(const std::string& inside) { return inside.empty() ? "{ }" : "{ " + inside + " }"; }

std::string one_value(const plait_field& field, const ConfigValue& value, Detail detail) {
  const std::string name = field.name;
  if (const auto* nested = std::get_if<std::shared_ptr<plait_config>>(&value))
    return name + " " + braces(config_text(**nested, detail));
  if (const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value))
    return name + " { " + type_text(*(*child)->type) + " " + braces(config_text(*(*child)->config, detail)) +
           " }";
  if (const auto* text = std::get_if<std::string>(&value))
    return name + ": " +
           (field.kind == PLAIT_FIELD_ENUM && is_identifier(*text) ? *text : quoted_text(*text));
  return name + ": " + value_text(value);
}

std::string config_text(const plait_config& config, Detail detail) {
  std::string text;
  for (const ConfigField& field : config.fields) {
    const bool quiet =
        field.is_default && (detail == Detail::kWritten || field.field->flags & PLAIT_FIELD_DEPRECATED);
    if (quiet) continue;
    for (const ConfigValue& value : field.values)
      text += (text.empty() ? "" : " ") + one_value(*field.field, value, detail);
  }
  return text;
}

std::string number(double value) { return value_text(ConfigValue(value)); }

std::string input_text(const InputRef& input) {
  return quoted_text(input.output == 0 ? input.layer : input.layer + ":" + std::to_string(input.output));
}

// Blocks of a file, one a line.
class Writer {
 public:
  explicit Writer(Form form) : form_(form) {}

  std::string run(const Job& job) {
    job_ = &job;
    line("name: " + quoted_text(job.name));
    line("seed: " + std::to_string(job.seed));
    for (const std::string& file : job.plugins) line("plugin: " + quoted_text(file));
    for (const std::string& folder : job.plugin_path) line("plugin_path: " + quoted_text(folder));
    block("device", job.device);
    if (is_long()) {
      stages(job);
      training(job);
      return text_;
    }
    block("source", job.source);
    block("validation", job.validation);
    if (job.validation_fraction > 0) line("validation { fraction: " + number(job.validation_fraction) + " }");
    block("test", job.test);
    for (const PluginSpec& plugin : job.augment) block("augment", plugin);
    for (const PluginSpec& plugin : job.preprocess) block("preprocess", plugin);
    training(job);
    stages(job);
    return text_;
  }

 private:
  // Records of a stage are said in a stage alone.
  bool is_long() const {
    const bool is_told = form_ == Form::kLong || is_stage_source(job_->source) ||
                         is_stage_source(job_->validation) || is_stage_source(job_->test);
    return is_told && !job_->is_stages_only();
  }
  static std::string records(const PluginSpec& source) {
    return is_stage_source(source) ? stage_source_text(source) : part("source", source);
  }

  // The network, and how it learns.
  void training(const Job& job) {
    for (const LayerSpec& layer : job.layers) line(layer_text(layer, Detail::kAll));
    for (const LossSpec& loss : job.losses) this->loss(loss);
    for (const MetricSpec& metric : job.metrics) this->metric(metric);
    block("optimizer", job.optimizer);
    for (const ScheduleSpec& schedule : job.schedules)
      block("schedule", schedule.plugin,
            schedule.field.empty() ? "" : "field: " + quoted_text(schedule.field) + " ");
    for (const ParametersSpec& one : job.parameters) line(parameters_text(one));
    if (!is_long()) line(train_text(job.train));
    const uint64_t memory = job.evaluate.memory_bytes;
    line("evaluate { batch: " + std::to_string(job.evaluate.batch) +
         (memory == EvaluateSpec().memory_bytes ? "" : " memory: " + std::to_string(memory)) +
         (job.evaluate.monitor.empty() ? "" : " monitor: " + quoted_text(job.evaluate.monitor)) + " }");
    if (!is_long()) block("reducer", job.reducer);
    block("outer_optimizer", job.outer_optimizer);
    if (is_long() || has_own_records(job)) return;
    for (const PretrainSpec& pretrain : job.pretrain) block("pretrain", pretrain.plugin);
  }

  void stages(const Job& job) {
    for (const StageSpec& stage : job.stages) names_.insert(stage.name);
    for (const StageSpec& stage : job.stages)
      if (!is_long() || !stage.is_after_training) this->stage(stage);
    if (is_long() || has_own_records(job))
      for (const PretrainSpec& one : job.pretrain) pretrain(one);
    if (!is_long()) return;
    train_stage(job);
    if (job.test && names_.insert("test").second)
      line("stage { name: \"test\" " + records(job.test) + "evaluate { } }");
    else
      block("test", job.test);
    for (const StageSpec& stage : job.stages)
      if (stage.is_after_training) this->stage(stage);
  }

  static bool has_own_records(const Job& job) {
    return std::ranges::any_of(job.pretrain, &PretrainSpec::has_own_records);
  }

  // One that no stage has.
  std::string new_name(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !names_.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
    return name;
  }

  static std::string parts(const char* name, const std::vector<PluginSpec>& plugins) {
    std::string text;
    for (const PluginSpec& plugin : plugins) text += part(name, plugin);
    return text;
  }

  void pretrain(const PretrainSpec& pretrain) {
    line("stage { name: " + quoted_text(new_name(pretrain.name.empty() ? "pretrain" : pretrain.name)) + " " +
         records(pretrain.source) + parts("augment", pretrain.augment) +
         parts("preprocess", pretrain.preprocess) + part("pretrain", pretrain.plugin) + "}");
  }

  void train_stage(const Job& job) {
    std::string held_out = job.validation ? "validation { " + records(job.validation) + "} " : "";
    if (job.validation_fraction > 0)
      held_out = "validation { fraction: " + number(job.validation_fraction) + " } ";
    line("stage { name: " + quoted_text(new_name("train")) + " " + records(job.source) + held_out +
         parts("augment", job.augment) + parts("preprocess", job.preprocess) + part("reducer", job.reducer) +
         train_text(job.train) + " }");
  }

  void line(const std::string& text) { text_ += text + "\n"; }
  void block(const std::string& name, const PluginSpec& plugin, const std::string& own = "") {
    if (plugin) line(name + " { " + own + plugin_text(plugin, Detail::kAll) + " }");
  }
  static std::string reference(const std::string& name, const InputRef& input) {
    return input.layer.empty() ? "" : name + ": " + input_text(input) + " ";
  }

  void loss(const LossSpec& loss) {
    std::string own = "name: " + quoted_text(loss.name) + " ";
    for (const InputRef& input : loss.inputs) own += reference("input", input);
    for (const InputRef& target : loss.targets) own += reference("target", target);
    if (loss.weights) own += reference("weights", *loss.weights);
    block("loss", loss.plugin, own + "weight: " + number(loss.weight) + " ");
  }

  // An input that was not written stays open: the names of values depend on it.
  void metric(const MetricSpec& metric) {
    block("metric", metric.plugin,
          (metric.name.empty() ? "" : "name: " + quoted_text(metric.name) + " ") +
              (metric.input_written ? reference("input", metric.input) : "") +
              reference("target", metric.target));
  }

  static std::string train_text(const TrainSpec& train) {
    std::string text = "train { shards: " + std::to_string(train.shards) +
                       " local_steps: " + std::to_string(train.local_steps) +
                       " batch: " + std::to_string(train.batch) + " epochs: " + number(train.epochs) +
                       " steps: " + std::to_string(train.steps) + " lanes: " + std::to_string(train.lanes);
    text += std::string(" sync: ") + (train.sync == Sync::kGradients ? "gradients" : "weights");
    text += std::string(" inner_state: ") + (train.inner_state == InnerState::kReset ? "reset" : "average");
    text += std::string(" shuffle: ") + (train.shuffle ? "true" : "false");
    text += std::string(" buckets: ") + (train.buckets ? "true" : "false");
    if (train.encoder_memory_bytes != TrainSpec().encoder_memory_bytes)
      text += " encoder_memory: " + std::to_string(train.encoder_memory_bytes);
    text += beside_rounds(train);
    return text + " max_seconds: " + number(train.max_seconds) +
           " checkpoint_every: " + std::to_string(train.checkpoint_every) +
           " keep_checkpoints: " + std::to_string(train.keep_checkpoints) + " }";
  }

  // What few jobs say; the others' text is as it was before there was any of it.
  static std::string beside_rounds(const TrainSpec& train) {
    std::string text;
    if (train.accumulate != 1) text += " accumulate: " + std::to_string(train.accumulate);
    if (train.clip) text += " clip { " + clip_text(train.clip) + " }";
    if (train.averages()) text += " average_weights { decay: " + number(train.average_decay) + " }";
    if (train.restore_best) text += " restore_best: true";
    if (train.recalibrate > 0) text += " recalibrate: " + std::to_string(train.recalibrate);
    if (train.precision == Precision::kBf16) text += " precision: bf16";
    return text;
  }

  static std::string parameters_text(const ParametersSpec& one) {
    std::string text = "parameters { match: " + quoted_text(one.match);
    const auto flag = [&](const char* name, const std::optional<bool>& value) {
      if (value) text += std::string(" ") + name + ": " + (*value ? "true" : "false");
    };
    const auto real = [&](const char* name, const std::optional<double>& value) {
      if (value) text += std::string(" ") + name + ": " + number(*value);
    };
    flag("frozen", one.frozen);
    real("rate_multiplier", one.rate_multiplier);
    flag("decay", one.decay);
    real("l1", one.l1);
    real("l2", one.l2);
    return text + " }";
  }

  static std::string network_text(const NetworkRecordsSpec& network) {
    std::string text = "network { ";
    for (const std::string& layer : network.layers) text += "layer: " + quoted_text(layer) + " ";
    return text + "on: " + network.on + " weights: " + network.weights + " } ";
  }

  static std::string part(const char* name, const PluginSpec& plugin) {
    return plugin ? std::string(name) + " { " + plugin_text(plugin, Detail::kAll) + " } " : "";
  }

  void stage(const StageSpec& stage) {
    std::string own = "name: " + quoted_text(stage.name) + " " + records(stage.source);
    if (stage.network && stage.is_task()) own += network_text(*stage.network);
    own += parts("augment", stage.augment) + parts("preprocess", stage.preprocess);
    if (!stage.is_task()) return line("stage { " + own + verb_text(stage) + "}");
    own += part("combiner", stage.combiner) + part("reducer", stage.reducer) + part("sink", stage.sink);
    block("stage", stage.task,
          own + "split: " + std::to_string(stage.split) + " memory: " + std::to_string(stage.memory_bytes) +
              " passes: " + std::to_string(stage.most_passes) + " output: " + quoted_text(stage.output) +
              " ");
  }

  static std::string verb_text(const StageSpec& stage) {
    std::string text = stage.does() + " { ";
    if (stage.verb == Verb::kFeatures)
      for (const std::string& layer : stage.network->layers) text += "layer: " + quoted_text(layer) + " ";
    if (!stage.network->on.empty()) text += "on: " + stage.network->on + " ";
    text += "weights: " + stage.network->weights + " } ";
    if (stage.verb != Verb::kEvaluate) text += "memory: " + std::to_string(stage.memory_bytes) + " ";
    return text + "output: " + quoted_text(stage.output) + " ";
  }

  const Form form_;
  const Job* job_ = nullptr;
  std::set<std::string> names_;  // of stages
  std::string text_;
};

}  // namespace

std::string quoted_text(const std::string& value) {
  std::string doubled;
  for (char c : value) doubled += c == '$' ? "$$" : std::string(1, c);
  return quote(doubled);
}

std::string type_text(const plait_type& type) {
  TypeEntry entry;
  entry.type = &type;
  const std::string name = entry.short_name();
  const bool is_short = is_identifier(name) && name != type.id && !is_taken_name(name, type.kind);
  return is_short ? name : "[" + std::string(type.id) + "]";
}

std::string plugin_text(const plait_type& type, const plait_config& config, Detail detail) {
  return type_text(type) + " " + braces(config_text(config, detail));
}

std::string plugin_text(const PluginSpec& plugin, Detail detail) {
  return plugin_text(*plugin.entry->type, *plugin.config, detail);
}

std::string layer_text(const LayerSpec& layer, Detail detail) {
  std::string text = "layer { name: " + quoted_text(layer.name);
  for (const InputRef& input : layer.inputs)
    if (!input.layer.empty()) text += " input: " + input_text(input);
  if (layer.frozen || detail == Detail::kAll)
    text += std::string(" frozen: ") + (layer.frozen ? "true" : "false");
  if (layer.rate_multiplier != 1 || detail == Detail::kAll)
    text += " rate_multiplier: " + number(layer.rate_multiplier);
  if (!layer.shares.empty()) text += " shares: " + quoted_text(layer.shares);
  for (const InitSpec& init : layer.init)
    if (detail == Detail::kAll) text += " " + init_text(init);
  for (const Int8Range& range : layer.ranges)
    if (detail == Detail::kAll)
      text += " int8 { input: " + std::to_string(range.input) + " low: " + number(range.low) +
              " high: " + number(range.high) + " }";
  return text + " " + plugin_text(layer.plugin, detail) + " }";
}

std::string clip_text(const ClipSpec& clip) {
  using By = ClipSpec::By;
  const char* const name = clip.by == By::kValue ? "value" : clip.by == By::kNorm ? "norm" : "global_norm";
  return std::string(name) + ": " + number(clip.most);
}

std::string resolved_text(const Job& job, Form form) { return Writer(form).run(job); }

}  // namespace plait::inline pipeline
