#include "pipeline/core_fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>

#include "base/status.h"

namespace plait::inline pipeline {
namespace {

constexpr double kMany = 1 << 20;
constexpr double kEndless = 9007199254740992.0;  // 2^53: whole numbers up to here are exact as double

plait_field field(uint32_t kind, const char* name, const char* default_text, const char* doc) {
  plait_field made{};
  made.struct_size = sizeof made;
  made.kind = kind;
  made.name = name;
  made.doc = doc;
  made.default_text = default_text;
  made.low = -INFINITY;
  made.high = INFINITY;
  return made;
}

plait_field whole(const char* name, const char* default_text, double low, double high, const char* doc) {
  plait_field made = field(PLAIT_FIELD_I64, name, default_text, doc);
  made.low = low;
  made.high = high;
  return made;
}

plait_field real(const char* name, const char* default_text, double low, double high, const char* doc,
                 uint32_t flags = 0) {
  plait_field made = whole(name, default_text, low, high, doc);
  made.kind = PLAIT_FIELD_F64;
  made.flags = flags;
  return made;
}

plait_field text(const char* name, const char* doc, uint32_t flags = 0) {
  plait_field made = field(PLAIT_FIELD_STRING, name, nullptr, doc);
  made.flags = flags;
  return made;
}

plait_field choice(const char* name, const char* const* names, uint32_t count, const char* default_text,
                   const char* doc) {
  plait_field made = field(PLAIT_FIELD_ENUM, name, default_text, doc);
  made.enum_names = names;
  made.n_enum_names = count;
  return made;
}

plait_field plugin(const char* name, const char* plugin_kind, const char* doc, uint32_t flags = 0) {
  plait_field made = field(PLAIT_FIELD_CHILD, name, nullptr, doc);
  made.child_kind = plugin_kind;
  made.flags = flags;
  return made;
}

plait_field required(plait_field made) {
  made.flags |= PLAIT_FIELD_REQUIRED;
  return made;
}

const char* const kSyncNames[] = {"weights", "gradients"};
const char* const kInnerStateNames[] = {"average", "reset"};
const char* const kSetNames[] = {"train", "validation", "test"};
const char* const kWeightsNames[] = {"last", "best"};

const plait_field kScalars[] = {
    text("name", "name of the job; default: the file's name"),
    whole("seed", "1", 0, kEndless, "decides all random numbers"),
    text("plugin", "a plugin file to load", PLAIT_FIELD_REPEATED | PLAIT_FIELD_PATH),
    text("plugin_path", "a folder of plugins", PLAIT_FIELD_REPEATED | PLAIT_FIELD_PATH),
};
const plait_field kRepeat[] = {
    required(whole("count", nullptr, 0, 100'000, "how many times the fields beside it stand in its place")),
    text("as", "name of the variable that counts: $i, ${i - 1}, \"c${i}\""),
    whole("from", "1", -1e9, 1e9, "its first value"),
    whole("step", "1", -1e9, 1e9, "from one value to the next"),
};
const plait_field kValidation[] = {
    real("fraction", nullptr, 0, 1, "part of the source kept for validation, instead of a source of its own",
         PLAIT_FIELD_LOW_OPEN | PLAIT_FIELD_HIGH_OPEN),
};
plait_field stage_name(const char* name, const char* doc) {
  plait_field made = text(name, doc, PLAIT_FIELD_STAGE);
  made.default_text = "\"\"";
  return made;
}

const plait_field kInit[] = {
    required(text("from", "stage that makes the array", PLAIT_FIELD_STAGE)),
    text("array", "of the stage; default: the one of the parameter's name, or the only one"),
    text("parameter", "or buffer of the layer; default: weight"),
};

const plait_field kOnNetwork[] = {
    choice("on", kSetNames, 3, "test", "which records of the job; of a stage with a source: that one's"),
    choice("weights", kWeightsNames, 2, "last", "of the training's end, or the best on the validation set"),
};
const plait_field kFeatures[] = {
    text("layer", "whose outputs are written, a row for each record", PLAIT_FIELD_REPEATED),
    choice("on", kSetNames, 3, "test", "which records of the job; of a stage with a source: that one's"),
    choice("weights", kWeightsNames, 2, "last", "of the training's end, or the best on the validation set"),
};
const plait_field kNetwork[] = {
    text("layer", "whose output is a part of the records; default: the last layer", PLAIT_FIELD_REPEATED),
    choice("on", kSetNames, 3, "test", "which records of the job the network is given"),
    choice("weights", kWeightsNames, 2, "last", "of the training's end, or the best on the validation set"),
};

template <const auto& kFields>
plait_field message(const char* name, const char* doc, uint32_t flags = 0) {
  static const auto pointers = [] {
    std::array<const plait_field*, std::size(kFields)> all{};
    for (size_t i = 0; i < all.size(); ++i) all[i] = &kFields[i];
    return all;
  }();
  plait_field made = field(PLAIT_FIELD_MESSAGE, name, nullptr, doc);
  made.flags = flags;
  made.fields = pointers.data();
  made.n_fields = std::size(kFields);
  return made;
}

const plait_field kLayer[] = {
    text("name", "of the layer; default: made from its type and place"),
    text("input",
         "a layer, \"layer:1\" for its output 1, or a part of the samples; default: the layer before",
         PLAIT_FIELD_REPEATED),
    field(PLAIT_FIELD_BOOL, "frozen", "false", "parameters stay as they are"),
    real("rate_multiplier", "1", 0, 1e6, "of the optimizer's rate for this layer"),
    text("shares", "name of the layer whose parameters this one uses"),
    message<kInit>("init", "begins with an array that a stage makes, not at random", PLAIT_FIELD_REPEATED),
};
const plait_field kLoss[] = {
    text("name", "in reports; default: the type's, told apart where two are alike"),
    text("input", "prediction, several in the loss's order; default: the last layer", PLAIT_FIELD_REPEATED),
    text("target", "several in the loss's order; default: part \"label\"", PLAIT_FIELD_REPEATED),
    text("weights",
         "a part of the samples that holds a weight for each: finite, 0 or more; default: all are 1"),
    real("weight", "1", -1e12, 1e12, "factor in the sum of losses"),
};
const plait_field kMetric[] = {
    text("name", "in reports; default: the type's, told apart where two are alike"),
    text("input", "prediction; default: the last layer"),
    text("target", "default: part \"label\""),
};
const plait_field kSchedule[] = {
    text("field", "of the optimizer; default: \"rate\"; of a schedule that may end training: none"),
};
const plait_field kTrain[] = {
    whole("shards", "8", 1, 65536, "logical shards of the data (K)"),
    whole("local_steps", "20", 1, kMany, "steps of a shard between two reductions (tau)"),
    whole("batch", "32", 1, kMany, "samples of a shard in a step"),
    real("epochs", "10", 0, 1e9, "passes over the training records", PLAIT_FIELD_LOW_OPEN),
    whole("steps", "0", 0, kEndless, "local steps of a shard in all; 0: from epochs"),
    whole("lanes", "1", 1, 1024, "threads of one task"),
    choice("sync", kSyncNames, 2, "weights", "what is averaged"),
    choice("inner_state", kInnerStateNames, 2, "average",
           "what becomes of the optimizer's state at a reduction"),
    field(PLAIT_FIELD_BOOL, "shuffle", "true", "a new order of the records each epoch"),
    field(PLAIT_FIELD_BOOL, "buckets", "true",
          "a batch of short samples is computed at bound/2, bound/4, ... (whole eights) where that holds it"),
    whole("encoder_memory", "1073741824", 0, kEndless,
          "bytes of what a frozen encoder makes of the records, which pretraining computes once and keeps in "
          "memory; what is more lies in a file; 0: it is computed at each step"),
    real("max_seconds", "0", 0, 1e12, "stop resumable after this time; 0: no bound"),
    whole("checkpoint_every", "0", 0, kMany, "rounds between checkpoints; 0: at the end of each epoch"),
    whole("keep_checkpoints", "2", 1, kMany, "checkpoints that are kept"),
};
const plait_field kHeldOut[] = {
    real("fraction", nullptr, 0, 1, "part of the source kept for validation",
         PLAIT_FIELD_LOW_OPEN | PLAIT_FIELD_HIGH_OPEN),
    plugin("source", "source", "records of their own for validation"),
};
const plait_field kStage[] = {
    text("name", "of the stage; default: the task's, else what it does"),
    message<kTrain>("train",
                    "the stage is the job's training; source, validation, augment, preprocess and "
                    "reducer stand beside it"),
    plugin("pretrain", "pretrainer", "the stage pretrains; default of its records: those of training"),
    message<kOnNetwork>("evaluate",
                        "the stage measures the trained network; one named test is the job's test"),
    message<kOnNetwork>("predict", "the stage writes what the trained network's last layer says"),
    message<kFeatures>("features", "the stage writes what layers of the trained network say"),
    message<kHeldOut>("validation", "records for choosing, of a stage that trains"),
    plugin("source", "source", "the records"),
    stage_name("from", "a stage whose arrays are the records, a row of each a record, in place of a source"),
    text("array", "of that stage; default: all", PLAIT_FIELD_REPEATED),
    message<kNetwork>("network", "the records are what the trained network makes of the job's own"),
    plugin("augment", "augmenter",
           "changes records at random before preprocess, in order; in each pass over them the same way",
           PLAIT_FIELD_REPEATED),
    plugin("preprocess", "augmenter",
           "changes all records, in order; default where the network is trained or used: that of training",
           PLAIT_FIELD_REPEATED),
    plugin("combiner", "combiner",
           "folds values of a key where they are made; default: the task's, with its reducer"),
    plugin("reducer", "reducer", "makes what becomes of a key; default: the task's"),
    plugin("sink", "sink", "writes the output; default: the one that is for such a file"),
    whole("split", "4096", 1, kMany, "records of one task"),
    whole("memory", "1073741824", kMany, kEndless,
          "bytes of pairs that a rank holds; what is more is kept in files meanwhile; of accumulated rows "
          "the most"),
    whole("passes", "1000", 1, kMany, "the most passes that a task of accumulators may ask for"),
    text("output",
         "file in the run's folder, of an ending that a sink writes: .tsv, .csv, ...; default: "
         "NAME.tsv, of "
         "accumulators NAME.safetensors, of evaluate NAME.csv"),
};
const plait_field kEvaluate[] = {
    whole("batch", "256", 1, kMany, "samples of a block"),
    text("monitor",
         "reported value that picks the best checkpoint; default: the first metric, else the loss"),
    whole("memory", "1073741824", kMany, kEndless,
          "bytes of rows that metrics keep of an evaluation (area_under_curve, say); more are refused"),
};

template <size_t n>
std::vector<const plait_field*> table(const plait_field (&fields)[n]) {
  std::vector<const plait_field*> pointers;
  for (const plait_field& entry : fields) pointers.push_back(&entry);
  return pointers;
}

}  // namespace

const std::vector<const plait_field*>& core_scalars() {
  static const auto scalars = table(kScalars);
  return scalars;
}

const std::vector<const plait_field*>& core_repeat() {
  static const auto fields = table(kRepeat);
  return fields;
}

const std::vector<CoreBlock>& core_blocks() {
  static const std::vector<CoreBlock> blocks = {
      {"device", "device", false, "what computes", {}},
      {"source", "source", false, "training records", {}},
      {"validation", "source", false, "records for choosing", table(kValidation)},
      {"test", "source", false, "records that nothing is chosen by", {}},
      {"augment", "augmenter", true, "changes training samples, in order", {}},
      {"preprocess", "augmenter", true, "changes all samples, in order", {}},
      {"layer", "layer", true, "a layer of the network", table(kLayer)},
      {"loss", "loss", true, "what is made small", table(kLoss)},
      {"metric", "metric", true, "what is measured", table(kMetric)},
      {"optimizer", "optimizer", false, "how a step changes the weights", {}},
      {"schedule", "schedule", true, "changes a field of the optimizer from step to step", table(kSchedule)},
      {"train", nullptr, false, "the rounds of training", table(kTrain)},
      {"evaluate", nullptr, false, "how the job is measured", table(kEvaluate)},
      {"reducer", "reducer", false, "combines the shards", {}},
      {"outer_optimizer",
       "optimizer",
       false,
       "applies the mean change of a round; a rate of 1 gives the mean, with a single shard but for one "
       "rounding",
       {}},
      {"pretrain", "pretrainer", true, "stages before training", {}},
      {"stage", "task", true,
       "a step of the job: a task over records, or training, or what is done with the trained network",
       table(kStage)},
  };
  return blocks;
}

const CoreBlock& core_block(const char* name) {
  for (const CoreBlock& block : core_blocks())
    if (std::strcmp(block.name, name) == 0) return block;
  assert(false && "no such block");
  return core_blocks().front();
}

std::vector<std::string> blocks_of(const std::string& kind) {
  std::vector<std::string> found;
  for (const CoreBlock& block : core_blocks()) {
    if (block.plugin_kind != nullptr && kind == block.plugin_kind &&
        (found.size() != 1 || kind == block.name))
      found = {block.name};
    for (const plait_field* field : block.fields)
      if (found.empty() && field->child_kind != nullptr && kind == field->child_kind)
        found = {block.name, field->name};
  }
  return found;
}

bool is_core_field(const plait_field& field) {
  const auto holds = [&](const std::vector<const plait_field*>& fields) {
    return std::find(fields.begin(), fields.end(), &field) != fields.end();
  };
  return holds(core_scalars()) || std::any_of(core_blocks().begin(), core_blocks().end(),
                                              [&](const CoreBlock& block) { return holds(block.fields); });
}

bool is_taken_name(const std::string& name, const std::string& kind) {
  if (name == "repeat") return true;
  for (const CoreBlock& block : core_blocks())
    for (const plait_field* field : block.fields)
      if (block.plugin_kind && kind == block.plugin_kind && name == field->name) return true;
  return false;
}

}  // namespace plait::inline pipeline
