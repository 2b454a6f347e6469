// A job as checked, plain structs: what a pipeline file says, after includes, variables, overrides and
// defaults. Everything after pipeline/ works on these; protobuf does not leave the folder.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "registry/config.h"
#include "registry/registry.h"
#include "registry/stage_arrays.h"

namespace plait::inline pipeline {

// Where something was written; file "--set" or "--var" for the command line. Lines and columns are 1-based,
// 0: unknown.
struct Location {
  std::string file;
  int line = 0;
  int column = 0;
  std::string iteration = {};      // "i = 3" of what a repeat made
  std::string text() const;        // "file:line:column", "file:line:column, i = 3"
  std::string place_text() const;  // "file:line:column"
};

// A plugin written in the file, with its configuration.
struct PluginSpec {
  const TypeEntry* entry = nullptr;  // null: not written
  std::shared_ptr<plait_config> config;
  Location where;
  explicit operator bool() const { return entry != nullptr; }
  const std::string id() const { return entry ? entry->type->id : ""; }
};

// An input of a layer, loss or metric: output `output` of layer `layer`, or part `layer` of the samples.
struct InputRef {
  std::string layer;
  int output = 0;  // written "name:1"
  Location where;
};

// A distribution that initial values are drawn from: see plan/initial_values.cc.
struct InitialDistribution {
  std::string word;     // of plait_parameter_spec.init; "": none
  double a = 0, b = 0;  // as init_a, init_b
  double gain = 1;      // factor of all elements
  bool by_fan_out = false;
};

// What a parameter or buffer of a layer begins with: an array of a stage or of a file, or a distribution.
struct InitSpec {
  std::shared_ptr<StageArrays> stage;  // null: one of the others
  std::string from;                    // the stage's name
  std::string file;
  std::string array;  // of stage or file; "": the one of the parameter's name, or the only one
  InitialDistribution distribution;
  std::string parameter = "weight";
  Location where;
};

// What the numbers of a layer's input are between: from them the trained layer computes on 8-bit integers.
struct Int8Range {
  int64_t input = 0;
  double low = 0, high = 0;  // low <= 0 <= high
  Location where;
};

struct LayerSpec {
  std::string name;
  std::vector<InputRef> inputs;
  PluginSpec plugin;
  bool frozen = false;         // parameters stay as they are
  double rate_multiplier = 1;  // of the optimizer's "rate" for this layer's parameters
  std::string shares;          // name of the layer whose parameters this one uses, or ""
  std::vector<InitSpec> init;
  std::vector<Int8Range> ranges;  // of inputs, each once; none: all is computed in f32
  Location where;
};

// A number of every evaluation. Its name is its own in the job: see report_names.h.
struct ReportedValue {
  std::string name;
  bool higher_is_better = false;
};

struct LossSpec {
  std::string name;  // in reports
  PluginSpec plugin;
  std::vector<InputRef> inputs;     // predictions; default: the last layer
  std::vector<InputRef> targets;    // default, of a loss that wants one: part "label", or the last part
  std::optional<InputRef> weights;  // a part: of each sample
  double weight = 1;
  bool name_written = false, input_written = false;
};

struct MetricSpec {
  std::string name;                   // as written, or ""
  std::vector<ReportedValue> values;  // in the type's order; where names_later, one of the metric's own name
  bool names_later = false;           // shapes and classes decide its values: see train/metric_values.h
  PluginSpec plugin;
  InputRef input;
  InputRef target;
  bool input_written = false;
};

// How parameters are trained whose names match; what is not written stays as it is.
struct ParametersSpec {
  std::string match;  // of "layer.parameter"; * and ?
  std::optional<bool> frozen, decay;
  std::optional<double> rate_multiplier, l1, l2;
  Location where;
};

struct ScheduleSpec {
  std::string field;  // of the optimizer; "": none, the schedule may only end training
  PluginSpec plugin;
};

enum class Sync { kWeights, kGradients };
enum class InnerState { kAverage, kReset };
enum class Precision { kF32, kBf16 };

// Of the gradient of an update.
struct ClipSpec {
  enum class By { kNothing, kValue, kNorm, kGlobalNorm } by = By::kNothing;
  double most = 0;
  explicit operator bool() const { return by != By::kNothing; }
};

struct TrainSpec {
  int shards = 8;        // K, logical
  int local_steps = 20;  // tau
  int batch = 32;        // samples a shard a step
  double epochs = 10;
  int64_t steps = 0;  // local steps of a shard in all; 0: from epochs
  int lanes = 1;      // threads of one task
  Sync sync = Sync::kWeights;
  InnerState inner_state = InnerState::kAverage;
  bool shuffle = true;
  bool buckets = true;  // plan/buckets.h; false: everything is computed at the bound
  uint64_t encoder_memory_bytes = uint64_t{1} << 30;  // of a frozen encoder's outputs; 0: they are not kept
  double max_seconds = 0;                             // 0: no bound; else stop with status 75, resumable
  int checkpoint_every = 0;                           // rounds; 0: at each epoch's end
  int keep_checkpoints = 2;
  int accumulate = 1;  // batches of a step
  ClipSpec clip;
  double average_decay = -1;  // of the moving average of weights, with each update; below 0: none
  bool restore_best = false;  // the run ends with the best weights
  Location restore_best_where;
  int recalibrate = 0;  // batches by which running statistics are measured anew; 0: they stay
  Location recalibrate_where;
  bool averages() const { return average_decay >= 0; }
  Precision precision = Precision::kF32;  // of activations, see plan/network.h
};

struct EvaluateSpec {
  int batch = 256;      // samples of a block
  std::string monitor;  // name of the value that picks the best checkpoint on the validation set; default:
                        // the first metric's first, else loss
  Location monitor_where;
  uint64_t memory_bytes = uint64_t{1} << 30;  // of rows that metrics keep of one evaluation
};

// Records that the trained network makes of a set of records.
struct NetworkRecordsSpec {
  std::vector<std::string> layers;  // whose outputs are their parts
  std::string on;                   // "train", "validation" or "test"; "": the stage's own source
  std::string weights;              // "last" or "best"
  Location where;
};

// Stages of training before the job's own.
struct PretrainSpec {
  PluginSpec plugin;
  std::string name;                             // of the stage { } that it is written in, or ""
  PluginSpec source;                            // none: the records are those of training
  std::vector<PluginSpec> augment, preprocess;  // none: those of training
  bool has_own_records() const { return source || !augment.empty() || !preprocess.empty(); }
};

// What a stage does with its records. Training and pretraining are no stages of this kind: see Job.
enum class Verb {
  kTask,      // a plugin: its pairs are combined and reduced key by key, or its accumulators are folded
  kEvaluate,  // the trained network is measured on them
  kPredict,   // its last layer's outputs are written
  kFeatures,  // outputs of layers are
};

struct StageSpec {
  std::string name;  // its own in the job
  Verb verb = Verb::kTask;
  PluginSpec source;  // see also stage_source.h; none: the job's own records
  std::optional<NetworkRecordsSpec> network;
  std::shared_ptr<StageArrays> from_network;  // what it makes
  std::vector<PluginSpec> augment;
  std::vector<PluginSpec> preprocess;         // of what the network is given, none: that of training
  PluginSpec task;                            // of kTask
  PluginSpec combiner;                        // none: values travel as they are
  PluginSpec reducer;                         // none: the task has accumulators
  PluginSpec sink;                            // writes the output
  int64_t split = 4096;                       // records of one task
  uint64_t memory_bytes = uint64_t{1} << 30;  // of pairs, or of accumulated rows, that a rank holds
  int64_t most_passes = 1000;                 // over the records
  std::string output;                         // a file in the run's folder
  std::shared_ptr<StageArrays> arrays;        // what it makes; of pairs see train/pair_table.h
  bool is_used = false;                       // by another stage, an operator or a layer
  bool is_after_training = false;             // its records are the network's, or of a stage whose are
  Location where;

  bool is_task() const { return verb == Verb::kTask; }
  bool is_keyed() const { return static_cast<bool>(reducer); }
  // A type, as "acme.histogram"; or "evaluate"
  std::string does() const;
  // The stages that it uses.
  std::vector<const StageArrays*> used_stages() const;
};

struct Job {
  std::string name;
  std::string file;
  uint64_t seed = 1;
  std::vector<std::string> plugins;      // plugin: "file"
  std::vector<std::string> plugin_path;  // folders

  PluginSpec device;      // default: the device that says it is the default of its kind
  PluginSpec source;      // training records
  PluginSpec validation;  // records for choosing; or validation_fraction of source
  double validation_fraction = 0;
  Location validation_where;           // of the fraction
  PluginSpec test;                     // records that nothing is chosen by
  std::vector<PluginSpec> preprocess;  // augmenters applied to every sample
  std::vector<PluginSpec> augment;     // augmenters applied to training samples, before preprocess
  std::vector<LayerSpec> layers;       // in file order
  std::vector<LossSpec> losses;
  std::vector<MetricSpec> metrics;
  PluginSpec optimizer;
  std::vector<ScheduleSpec> schedules;
  std::vector<ParametersSpec> parameters;  // in file order
  PluginSpec reducer;                      // default: the reducer that says it is the default of its kind
  PluginSpec outer_optimizer;              // none: the mean is taken as it is
  std::vector<PretrainSpec> pretrain;
  std::vector<StageSpec> stages;  // each after those that it uses
  TrainSpec train;
  EvaluateSpec evaluate;

  // Nothing is trained.
  bool is_stages_only() const {
    return !stages.empty() && layers.empty() && losses.empty() && !source && !optimizer;
  }

  std::string resolved;  // the whole job as text: replays to the same bits
};

}  // namespace plait::inline pipeline
