#include "pipeline/stage_blocks.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "pipeline/job_name.h"
#include "pipeline/pipeline.pb.h"
#include "pipeline/report_names.h"
#include "pipeline/stage_order.h"
#include "pipeline/stage_sink.h"
#include "pipeline/stage_source.h"

namespace plait::inline pipeline {
namespace {

using job::Stage;

// What a stage does, as its field is called; a task is a plugin and has none.
constexpr const char* kVerbs[] = {"train", "pretrain", "evaluate", "predict", "features"};
// The evaluation whose records are the job's test.
constexpr const char* kTest = "test";

constexpr const char* kOneOrigin =
    "a stage has a source, or reads another stage, or the network: one of them";

// Fields beside a verb that it has a use for.
struct Uses {
  const char* verb;  // "": a task
  std::vector<const char*> fields;
};
const std::array<Uses, 6> kUses = {
    Uses{"train", {"source", "from", "array", "validation", "augment", "preprocess", "reducer"}},
    Uses{"pretrain", {"source", "from", "array", "augment", "preprocess"}},
    Uses{"evaluate", {"source", "from", "array", "preprocess", "output", "sink"}},
    Uses{"predict", {"source", "from", "array", "preprocess", "output", "sink", "memory"}},
    Uses{"features", {"source", "from", "array", "preprocess", "output", "sink", "memory"}},
    Uses{"",
         {"source", "from", "array", "network", "augment", "preprocess", "combiner", "reducer", "split",
          "memory", "passes", "output", "sink"}}};

const plait_task_rules& rules_of(const TypeEntry& task) {
  return *static_cast<const plait_task_rules*>(task.type->rules);
}
bool has_accumulators(const TypeEntry& task) {
  const plait_task_rules* rules = &rules_of(task);
  return PLAIT_HAS(rules, flags) && (rules->flags & PLAIT_TASK_ACCUMULATES) != 0;
}

const TypeEntry* task_in(const Schema& schema, const Scope& scope) {
  for (const auto& [id, field] : schema.meaning(scope.message->GetDescriptor()).plugins)
    if (scope.has(field)) return schema.meaning(field).plugin;
  return nullptr;
}

std::vector<std::string> verbs_in(const Scope& scope) {
  std::vector<std::string> found;
  for (const char* verb : kVerbs)
    if (BlockReader::count(scope, verb) > 0) found.push_back(verb);
  return found;
}

// "train", or the task's short name where the stage has no name.
std::string name_of(const Schema& schema, const Scope& scope) {
  const std::string& name = scope.as<Stage>().name();
  if (!name.empty()) return name;
  const TypeEntry* task = task_in(schema, scope);
  const std::vector<std::string> verbs = verbs_in(scope);
  return task != nullptr ? task->short_name() : verbs.empty() ? "" : verbs.front();
}

class StageReader {
 public:
  StageReader(const BlockReader& reader, const StageNames& names, const JobBlocks& blocks, Job& job)
      : reader_(reader), errors_(reader.errors()), names_(names), blocks_(blocks), job_(job) {}

  void run(const std::vector<Scope>& stages) {
    if (stages.empty()) return;
    job_.stages.clear();
    for (const Scope& scope : stages) check_name(scope);
    // First what others need: records of the job that the network is given.
    for (const Scope& scope : stages) {
      const std::string verb = verb_of(scope);
      if (verb == "train") train(scope);
      if (verb == "pretrain") pretrain(scope);
      if (is_test(verb, scope)) test(scope);
    }
    for (const Scope& scope : stages) {
      const std::string verb = verb_of(scope);
      if (verb == "?" || verb == "train" || verb == "pretrain" || is_test(verb, scope)) continue;
      places_.push_back(scope.place);
      if (verb.empty())
        task(scope);
      else
        network_verb(scope, verb);
    }
    if (!errors_.any()) order_stages(job_, places_, errors_);
  }

 private:
  bool is_test(const std::string& verb, const Scope& scope) const {
    return verb == "evaluate" && scope.as<Stage>().name() == kTest;
  }

  // "" for a task; "?" where the stage says none or two.
  std::string verb_of(const Scope& scope) const {
    const std::vector<std::string> verbs = verbs_in(scope);
    const size_t all = verbs.size() + (task_in(reader_.schema(), scope) != nullptr ? 1 : 0);
    if (all != 1) return "?";
    return verbs.empty() ? "" : verbs.front();
  }

  void check_name(const Scope& scope) {
    const std::vector<std::string> verbs = verbs_in(scope);
    const TypeEntry* task = task_in(reader_.schema(), scope);
    const size_t all = verbs.size() + (task != nullptr ? 1 : 0);
    if (all == 0 && !scope.is_broken(errors_))
      errors_.add(scope.place, "\"stage\" wants a plugin of kind task, or what else it does",
                  "possible here: " + reader_.names_of_kind("task") +
                      "; or train, pretrain, evaluate, predict, features");
    if (all > 1)
      errors_.add(scope.place,
                  "the stage does two things: " + verbs.front() + " and " +
                      (verbs.size() > 1 ? verbs[1] : task->short_name()),
                  "a stage for each");
    if (all == 1) check_uses(scope, verbs.empty() ? "" : verbs.front());
    const std::string name = name_of(reader_.schema(), scope);
    if (name.empty()) return;
    if (const std::string fault = name_fault(name); !fault.empty())
      errors_.add(scope.place_of(Stage::kNameFieldNumber), "the stage's name \"" + name + "\" " + fault);
    if (!seen_.insert(name).second)
      errors_.add(scope.place_of(Stage::kNameFieldNumber), "two stages are named \"" + name + "\"");
  }

  void check_uses(const Scope& scope, const std::string& verb) {
    const auto uses_of = [](const std::string& one) -> const Uses& {
      return *std::ranges::find_if(kUses, [&](const Uses& uses) { return one == uses.verb; });
    };
    const auto holds = [](const Uses& uses, const std::string& field) {
      return std::ranges::any_of(uses.fields, [&](const char* one) { return field == one; });
    };
    std::vector<std::string> all = {"validation"};
    for (const char* field : uses_of("").fields) all.push_back(field);
    for (const std::string& field : all) {
      if (BlockReader::count(scope, field.c_str()) == 0 || holds(uses_of(verb), field)) continue;
      std::string possible;
      for (const char* one : uses_of(verb).fields)
        possible += (possible.empty() ? "" : ", ") + std::string(one);
      errors_.add(scope.place_of(field.c_str()),
                  "\"" + field + "\" has no use in a stage that " +
                      (verb.empty() ? "runs a task" : "says \"" + verb + "\""),
                  "beside it may be written: " + possible);
    }
  }

  // ---- records

  // A plugin's, or rows of another stage; none where neither is written. `scope`: of a Stage or a Validation.
  PluginSpec records(const Scope& scope) {
    PluginSpec source = reader_.child(scope, number_of(scope, "source"));
    const int arrays = BlockReader::count(scope, "array");
    const std::string from = text_at(scope, "from", 0);
    if (from.empty() && arrays > 0)
      errors_.add(scope.place_of("array"), "arrays are of the stage that \"from\" names, and none is");
    if (from.empty()) return source;
    const Place place = scope.place_of("from");
    if (source) errors_.add(place, kOneOrigin);
    const auto found = names_.find(from);
    if (found == names_.end()) return source;  // told already
    if (found->second.makes_pairs) errors_.add(place, pairs_text(from), kNoArrays);
    std::vector<std::string> names;
    for (int i = 0; i < arrays; ++i) names.push_back(text_at(scope, "array", i));
    return stage_source(from, found->second.arrays, names, location_of(place));
  }

  static int number_of(const Scope& scope, const char* field) {
    return scope.message->GetDescriptor()->FindFieldByName(field)->number();
  }
  static std::string text_at(const Scope& scope, const char* name, int index) {
    const auto* field = scope.message->GetDescriptor()->FindFieldByName(name);
    const auto* reflection = scope.message->GetReflection();
    return field->is_repeated() ? reflection->GetRepeatedString(*scope.message, field, index)
                                : reflection->GetString(*scope.message, field);
  }

  // ---- training in its long form

  // A block of the job that a stage has too.
  void refuse_twice(const Scope& stage, const char* field, const char* block) {
    const auto beside = blocks_.scopes(block);
    if (beside.empty() || BlockReader::count(stage, field) == 0) return;
    errors_.add(beside.front().place,
                std::string("\"") + block + "\" is written here and in stage \"" +
                    name_of(reader_.schema(), stage) + "\" (" + location_of(stage.place).place_text() + ")",
                "in one of them");
  }

  void train(const Scope& scope) {
    if (std::exchange(has_train_, true))
      return errors_.add(scope.place, "a second stage trains", "a job trains its network once");
    for (const auto& [field, block] : {std::pair{"source", "source"},
                                       {"from", "source"},
                                       {"validation", "validation"},
                                       {"augment", "augment"},
                                       {"preprocess", "preprocess"},
                                       {"reducer", "reducer"},
                                       {"train", "train"}})
      refuse_twice(scope, field, block);
    if (PluginSpec source = records(scope)) job_.source = source;
    if (PluginSpec reducer = reader_.child(scope, Stage::kReducerFieldNumber)) job_.reducer = reducer;
    const auto& written = scope.as<Stage>();
    if (written.augment_size() > 0) job_.augment = reader_.children(scope, Stage::kAugmentFieldNumber);
    if (written.preprocess_size() > 0)
      job_.preprocess = reader_.children(scope, Stage::kPreprocessFieldNumber);
    if (written.has_validation()) validation(scope.nested(Stage::kValidationFieldNumber));
    reader_.check(scope);
    blocks_.take_train(scope.nested(Stage::kTrainFieldNumber));
  }

  void validation(const Scope& scope) {
    const auto& written = scope.as<Stage::Validation>();
    if (written.has_fraction() == (written.has_source() || !written.from().empty()))
      return errors_.add(scope.place, "validation has a source of its own or a fraction of the source",
                         "as in: validation { fraction: 0.1 }, or: validation { source { ... } }");
    job_.validation = records(scope);
    if (!written.has_fraction()) return;
    job_.validation_fraction = written.fraction();
    job_.validation_where = location_of(scope.place_of(Stage::Validation::kFractionFieldNumber));
  }

  void pretrain(const Scope& scope) {
    const auto beside = blocks_.scopes("pretrain");
    if (!beside.empty() && !std::exchange(told_pretrain_, true))
      errors_.add(beside.front().place,
                  "\"pretrain\" is written here and in stage \"" + name_of(reader_.schema(), scope) +
                      "\": which comes first is not said",
                  "a stage { pretrain { ... } } for each");
    PretrainSpec spec;
    spec.plugin = reader_.child(scope, Stage::kPretrainFieldNumber);
    spec.name = name_of(reader_.schema(), scope);
    spec.source = records(scope);
    spec.augment = reader_.children(scope, Stage::kAugmentFieldNumber);
    spec.preprocess = reader_.children(scope, Stage::kPreprocessFieldNumber);
    job_.pretrain.push_back(std::move(spec));
  }

  void test(const Scope& scope) {
    refuse_twice(scope, "source", "test");
    refuse_twice(scope, "from", "test");
    const Scope verb = scope.nested(Stage::kEvaluateFieldNumber);
    for (const auto& [at, field] :
         {std::pair{scope, "preprocess"}, {scope, "output"}, {verb, "on"}, {verb, "weights"}})
      if (BlockReader::count(at, field) > 0)
        errors_.add(
            at.place_of(field),
            std::string("the stage named \"test\" is the job's test: \"") + field + "\" is not its own",
            "a stage of another name may have it");
    job_.test = records(scope);
    if (!job_.test && !scope.is_broken(errors_))
      errors_.add(scope.place, "the job's test has no source of records",
                  "as in: source { ... }, with one of: " + reader_.names_of_kind("source") +
                      "; or from: \"...\", another stage");
  }

  // ---- what is done with the trained network

  StageSpec begin(const Scope& scope) {
    reader_.check(scope);
    const auto& written = scope.as<Stage>();
    StageSpec stage;
    stage.where = location_of(scope.place);
    stage.name = name_of(reader_.schema(), scope);
    stage.source = records(scope);
    stage.augment = reader_.children(scope, Stage::kAugmentFieldNumber);
    stage.preprocess = reader_.children(scope, Stage::kPreprocessFieldNumber);
    stage.memory_bytes = static_cast<uint64_t>(written.memory());
    stage.output = written.output();
    stage.sink = reader_.child(scope, Stage::kSinkFieldNumber);
    return stage;
  }

  void end(StageSpec stage, const Scope& scope) {
    check_file(stage, scope);
    if (const auto named = names_.find(stage.name); named != names_.end())
      stage.arrays = named->second.arrays;
    job_.stages.push_back(std::move(stage));
  }

  void network_verb(const Scope& scope, const std::string& verb) {
    StageSpec stage = begin(scope);
    const auto& written = scope.as<Stage>();
    if (written.has_evaluate()) {
      stage.verb = Verb::kEvaluate;
      network_records(written.evaluate(), scope.nested(Stage::kEvaluateFieldNumber), stage);
    } else if (written.has_predict()) {
      stage.verb = Verb::kPredict;
      network_records(written.predict(), scope.nested(Stage::kPredictFieldNumber), stage);
    } else {
      stage.verb = Verb::kFeatures;
      network_records(written.features(), scope.nested(Stage::kFeaturesFieldNumber), stage);
    }
    const Scope at = scope.nested(scope.message->GetDescriptor()->FindFieldByName(verb), 0);
    if (stage.source && BlockReader::count(at, "on") > 0)
      errors_.add(at.place_of("on"), "the stage has " +
                                         std::string(is_stage_source(stage.source) ? "records" : "a source") +
                                         " of its own, so that none of the job's records are asked for");
    if (stage.verb == Verb::kEvaluate && !job_.layers.empty() && job_.losses.empty() && job_.metrics.empty())
      errors_.add(at.place, "the job has neither a loss nor a metric to measure by");
    if (stage.output.empty())
      stage.output = stage.name + (stage.verb == Verb::kEvaluate ? ".csv" : ".safetensors");
    end(std::move(stage), scope);
  }

  // `written`: Stage::Evaluate, Predict, Features or Network, which is the message of `at`.
  template <class M>
  void network_records(const M& written, const Scope& at, StageSpec& stage) {
    NetworkRecordsSpec network;
    network.where = location_of(at.place);
    if constexpr (requires { written.layer(); })
      network.layers.assign(written.layer().begin(), written.layer().end());
    network.on = stage.source ? "" : job::Records::Set_Name(written.on());
    network.weights = job::Weights::Of_Name(written.weights());
    check_records_of(network, at);
    stage.from_network = std::make_shared<StageArrays>();
    stage.network = std::move(network);
  }

  void check_records_of(NetworkRecordsSpec& network, const Scope& at) {
    if (network.layers.empty()) network.layers.push_back(job_.layers.empty() ? "" : job_.layers.back().name);
    for (size_t i = 0; i < network.layers.size(); ++i) check_kept(network, i, at);
    const bool has_validation = job_.validation || job_.validation_fraction > 0;
    const bool is_there = network.on.empty()      ? true
                          : network.on == "train" ? static_cast<bool>(job_.source)
                          : network.on == "test"  ? static_cast<bool>(job_.test)
                                                  : has_validation;
    if (!is_there && !at.is_broken(errors_))
      errors_.add(at.place, "the job has no " + network.on + " records for the network to be given");
    if (network.weights == "best" && !has_validation)
      errors_.add(at.place, "the job has no validation records, which the best weights are chosen by");
  }

  void check_kept(const NetworkRecordsSpec& network, size_t i, const Scope& at) {
    const std::string& name = network.layers[i];
    const Place place = network.layers.size() > 1 || BlockReader::count(at, "layer") > 0
                            ? at.place_of("layer", static_cast<int>(i))
                            : at.place;
    if (std::ranges::none_of(job_.layers, [&](const LayerSpec& layer) { return layer.name == name; }))
      errors_.add(place, job_.layers.empty() ? "the job has no network"
                                             : "the network has no layer \"" + name + "\"");
    if (std::ranges::find(network.layers, name) != network.layers.begin() + static_cast<std::ptrdiff_t>(i))
      errors_.add(place, "layer \"" + name + "\" is named twice");
  }

  // ---- tasks

  void task(const Scope& scope) {
    StageSpec stage = begin(scope);
    const auto& written = scope.as<Stage>();
    stage.task = reader_.plugin(scope);
    if (written.has_network())
      network_records(written.network(), scope.nested(Stage::kNetworkFieldNumber), stage);
    stage.combiner = reader_.child(scope, Stage::kCombinerFieldNumber);
    stage.reducer = reader_.child(scope, Stage::kReducerFieldNumber);
    stage.split = written.split();
    stage.most_passes = written.passes();
    check_records(stage, scope);
    complete(stage, scope);
    if (stage.output.empty()) stage.output = stage.name + (stage.is_keyed() ? ".tsv" : ".safetensors");
    end(std::move(stage), scope);
  }

  void check_records(const StageSpec& stage, const Scope& scope) {
    if (!stage.source && !stage.network && !scope.is_broken(errors_))
      errors_.add(
          scope.place, "the stage has no source of records",
          "as in: source { ... }, with one of: " + reader_.names_of_kind("source") +
              "; or from: \"...\", another stage; or network { ... }, what the trained network makes");
    if (stage.source && stage.network) errors_.add(scope.place_of(Stage::kNetworkFieldNumber), kOneOrigin);
  }

  // What a file may leave to the task.
  void complete(StageSpec& stage, const Scope& scope) {
    if (!stage.task) return;
    const plait_task_rules& rules = rules_of(*stage.task.entry);
    const std::string task = "the task " + stage.task.entry->short_name();
    if (has_accumulators(*stage.task.entry)) {
      for (const char* of_pairs : {"combiner", "reducer"})
        if (BlockReader::count(scope, of_pairs) > 0)
          errors_.add(scope.place_of(of_pairs),
                      task + " fills accumulators, and emits no pairs that a " + of_pairs + " could take");
      stage.combiner = stage.reducer = {};
      return;
    }
    const auto fill = [&](const char* id, const char* kind, PluginSpec& spec) {
      if (spec || id == nullptr || BlockReader::count(scope, kind) > 0) return;
      spec = reader_.by_default(id, kind, task, scope.place);
    };
    fill(rules.reducer, "reducer", stage.reducer);
    // The task's combiner is made for the task's reducer: another one may want every value.
    if (rules.reducer != nullptr && stage.reducer.id() == rules.reducer)
      fill(rules.combiner, "combiner", stage.combiner);
    if (!stage.reducer && !scope.is_broken(errors_))
      errors_.add(
          scope.place, "the stage has no reducer, and " + task + " names none",
          "as in: reducer { ... }, with one of: " + reader_.names_of_kind("reducer", ReducerUse::kKeys));
    if (stage.reducer && !fits(*stage.reducer.entry, ReducerUse::kKeys))
      errors_.add(scope.place_of(Stage::kReducerFieldNumber),
                  "the reducer " + stage.reducer.entry->short_name() +
                      " is for the shards of training; wanted one of values by key");
  }

  void check_file(StageSpec& stage, const Scope& scope) {
    for (const StageSpec& other : job_.stages)
      if (other.output == stage.output && other.name != stage.name)
        errors_.add(scope.place_of(Stage::kOutputFieldNumber), "two stages write \"" + stage.output + "\"");
    if (!name_fault(stage.name).empty()) return;  // told already
    check_output(stage, scope, errors_);
    choose_sink(stage, scope, scope.as<Stage>().has_sink(), errors_);
  }

  const BlockReader& reader_;
  Errors& errors_;
  const StageNames& names_;
  const JobBlocks& blocks_;
  Job& job_;
  std::vector<Place> places_;  // of job_.stages
  std::set<std::string> seen_;
  bool has_train_ = false, told_pretrain_ = false;
};

}  // namespace

std::string pairs_text(const std::string& stage) {
  return "stage \"" + stage + "\" makes pairs of a key and a value, wanted arrays";
}

StageNames named_stages(const Schema& schema, const std::vector<Scope>& stages) {
  StageNames names;
  for (const Scope& scope : stages) {
    const TypeEntry* task = task_in(schema, scope);
    const std::vector<std::string> verbs = verbs_in(scope);
    const bool makes_none = !verbs.empty() && (verbs.front() == "train" || verbs.front() == "pretrain");
    if (makes_none || (task == nullptr && verbs.empty())) continue;
    NamedStage stage{std::make_shared<StageArrays>(), task != nullptr && !has_accumulators(*task)};
    const std::string name = name_of(schema, scope);
    stage.arrays->set_origin(name, location_of(scope.place).text());
    names.try_emplace(name, std::move(stage));
  }
  return names;
}

void read_stages(const BlockReader& reader, const std::vector<Scope>& stages, const StageNames& names,
                 const JobBlocks& blocks, Job& job) {
  StageReader(reader, names, blocks, job).run(stages);
}

}  // namespace plait::inline pipeline
