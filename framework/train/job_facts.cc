#include "train/job_facts.h"

#include <algorithm>
#include <functional>
#include <map>
#include <span>

#include "pipeline/core_fields.h"
#include "pipeline/lexer.h"
#include "pipeline/stage_source.h"
#include "pipeline/syntax.h"

namespace plait::inline train {
namespace {

constexpr const char* kHarmlessFields[] = {"name", "plugin", "plugin_path"};
constexpr const char* kHarmlessTrain[] = {"train.max_seconds", "train.checkpoint_every",
                                          "train.keep_checkpoints"};
constexpr const char* kLengthTrain[] = {"train.epochs", "train.steps"};

// "stage[NAME].memory": bounds of a stage end it or change nothing.
bool is_bound_of_stage(const std::string& name) {
  const size_t end = name.find("].");
  if (!name.starts_with("stage[") || end == std::string::npos) return false;
  const std::string field = name.substr(end + 2);
  return field == "memory" || field == "passes";
}

template <class Names>
bool is_one_of(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != std::end(names);
}

// Fields of a plugin's type or message; empty: not known.
using KnownFields = std::span<const plait_field* const>;

const plait_field* find_known(KnownFields known, const std::string& name) {
  for (const plait_field* field : known)
    if (name == field->name) return field;
  return nullptr;
}

std::string scalar_words(const Field& field) {
  std::string words;
  for (const Token& token : field.scalar) words += token.text;
  return words;
}

// The tree of a job's text from the outside in.
class Flattener {
 public:
  Flattener(const Registry& registry, Identity& facts) : registry_(registry), facts_(facts) {}

  void job(const std::vector<Field>& fields) {
    order(fields);
    for (const Group& group : groups_of(fields)) {
      if (is_one_of(kHarmlessFields, group.name)) continue;
      const auto known =
          std::ranges::find_if(core_blocks(), [&](const CoreBlock& core) { return group.name == core.name; });
      const Within in = known == core_blocks().end() ? Within() : Within{known->plugin_kind, known->fields};
      block(group, "",
            [&](const Field& field, const std::string& path) { inside(field.fields, path + ".", in); });
    }
  }

 private:
  struct Group {
    std::string name;
    std::vector<const Field*> fields;
  };
  using Inside = std::function<void(const Field& field, const std::string& path)>;

  static std::vector<Group> groups_of(const std::vector<Field>& fields) {
    std::vector<Group> groups;
    std::map<std::string, size_t> places;
    for (const Field& field : fields) {
      const auto [place, is_new] = places.emplace(field.name.text, groups.size());
      if (is_new) groups.push_back({field.name.text, {}});
      groups[place->second].fields.push_back(&field);
    }
    return groups;
  }

  // Fields of one name: one value, or the list of them; messages one by one, by their names or numbers.
  void block(const Group& group, const std::string& prefix, const Inside& inside) {
    if (!group.fields.front()->is_message) return add(prefix + group.name, values_of(group));
    for (size_t i = 0; i < group.fields.size(); ++i) {
      const Field& field = *group.fields[i];
      const std::string own = field.text_of("name");
      std::string path = prefix + group.name;
      if (!own.empty()) {
        path += "[" + own + "]";
      } else if (group.fields.size() > 1) {
        path += "[" + std::to_string(i) + "]";
      }
      if (field.fields.empty()) add(path, "{ }");
      inside(field, path);
    }
  }

  static std::string values_of(const Group& group) {
    std::string list;
    for (const Field* field : group.fields) list += (list.empty() ? "" : ", ") + scalar_words(*field);
    return group.fields.size() == 1 ? list : "[" + list + "]";
  }

  // What fields are in: a block of the file, or a plugin (or a message of one).
  struct Within {
    const char* kind = nullptr;  // of plugins that may be there
    KnownFields known = {};
    bool is_plugin = false;
  };

  Within within(const Within& outer, const Field& field) const {
    const plait_field* own = field.bracketed ? nullptr : find_known(outer.known, field.name.text);
    if (own != nullptr && own->kind == PLAIT_FIELD_MESSAGE)
      return {nullptr, KnownFields(own->fields, own->n_fields), outer.is_plugin};
    if (own != nullptr && own->kind == PLAIT_FIELD_CHILD) return {own->child_kind};
    const TypeEntry* entry = outer.kind == nullptr ? nullptr : registry_.find(outer.kind, field.name.text);
    const auto others = registry_.named(field.name.text);  // of another kind than may be there
    if (entry == nullptr && outer.kind != nullptr && !others.empty()) entry = others.front();
    if (entry == nullptr) return {};
    return {nullptr, KnownFields(entry->type->fields, entry->type->n_fields), true};
  }

  void inside(const std::vector<Field>& fields, const std::string& prefix, const Within& in) {
    for (const Group& group : groups_of(fields)) {
      const plait_field* own = find_known(in.known, group.name);
      const bool is_path = own != nullptr && (own->flags & PLAIT_FIELD_PATH) != 0;
      const bool is_name = !in.is_plugin && group.name == "name" && !group.fields.front()->is_message;
      if (is_path || is_name) continue;
      block(group, prefix, [&](const Field& field, const std::string& path) {
        inside(field.fields, path + ".", within(in, field));
      });
    }
  }

  // The order decides where weights lie, and with them the order of sums.
  void order(const std::vector<Field>& fields) {
    std::string names;
    for (const Field& field : fields)
      if (field.name.text == "layer") names += (names.empty() ? "" : " ") + field.text_of("name");
    add("order of layers", names);
  }

  // What a stage says of the training is the job's.
  static std::string name_in_job(const std::string& name) {
    const size_t at = name.find("].train.");
    return name.starts_with("stage[") && at != std::string::npos ? name.substr(at + 2) : name;
  }

  void add(const std::string& written, const std::string& value) {
    const std::string name = name_in_job(written);
    if (is_one_of(kHarmlessTrain, name) || is_bound_of_stage(name)) return;
    // Where it lies changes nothing; whether there is one, what a checkpoint of pretraining holds.
    if (name == "train.encoder_memory" && value != "0") return;
    const bool is_length = is_one_of(kLengthTrain, name);
    facts_.push_back(make_fact(is_length ? part::kLength : part::kJob, name, value));
  }

  const Registry& registry_;
  Identity& facts_;
};

// Epochs count only where steps are not given.
void drop_unused_length(Identity& facts) {
  const auto steps = std::ranges::find(facts, "train.steps", &Fact::name);
  if (steps == facts.end() || steps->value == "0") return;
  std::erase_if(facts, [](const Fact& fact) { return fact.name == "train.epochs"; });
}

std::string at(const char* block, size_t i) { return std::string(block) + "[" + std::to_string(i) + "]"; }

void add_types(const plait_config& config, std::vector<const plait_type*>& types) {
  for (const ConfigField& field : config.fields) {
    for (const ConfigValue& value : field.values) {
      if (const auto* nested = std::get_if<std::shared_ptr<plait_config>>(&value))
        if (*nested) add_types(**nested, types);
      const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value);
      if (child == nullptr) continue;
      types.push_back((*child)->type);
      add_types(*(*child)->config, types);
    }
  }
}

}  // namespace

Identity job_facts(const Registry& registry, const std::string& resolved) {
  const SourceText source{"resolved.txtpb", resolved};
  Errors errors;
  const std::vector<Field> fields = parse_fields(lex(source, errors), errors);
  Identity facts;
  Flattener(registry, facts).job(fields);
  drop_unused_length(facts);
  return facts;
}

std::vector<PlacedPlugin> plugins_of(const Job& job) {
  std::vector<PlacedPlugin> all = {{"device", &job.device},
                                   {"source", &job.source},
                                   {"validation", &job.validation},
                                   {"test", &job.test},
                                   {"optimizer", &job.optimizer},
                                   {"reducer", &job.reducer},
                                   {"outer_optimizer", &job.outer_optimizer}};
  for (const LayerSpec& layer : job.layers) all.push_back({"layer[" + layer.name + "]", &layer.plugin});
  for (const LossSpec& loss : job.losses) all.push_back({"loss[" + loss.name + "]", &loss.plugin});
  for (size_t i = 0; i < job.metrics.size(); ++i) all.push_back({at("metric", i), &job.metrics[i].plugin});
  for (size_t i = 0; i < job.schedules.size(); ++i)
    all.push_back({at("schedule", i), &job.schedules[i].plugin});
  for (size_t i = 0; i < job.augment.size(); ++i) all.push_back({at("augment", i), &job.augment[i]});
  for (size_t i = 0; i < job.preprocess.size(); ++i) all.push_back({at("preprocess", i), &job.preprocess[i]});
  const auto add = [&](const std::string& place, const std::vector<PluginSpec>& plugins, const char* name) {
    for (size_t i = 0; i < plugins.size(); ++i) all.push_back({place + "." + at(name, i), &plugins[i]});
  };
  for (size_t i = 0; i < job.pretrain.size(); ++i) {
    const PretrainSpec& pretrain = job.pretrain[i];
    const std::string place = at("pretrain", i);
    all.push_back({place, &pretrain.plugin});
    all.push_back({place + ".source", &pretrain.source});
    add(place, pretrain.augment, "augment");
    add(place, pretrain.preprocess, "preprocess");
  }
  for (const StageSpec& stage : job.stages) {
    const std::string place = "stage[" + stage.name + "]";
    all.push_back({place, &stage.task});
    all.push_back({place + ".source", &stage.source});
    all.push_back({place + ".combiner", &stage.combiner});
    all.push_back({place + ".reducer", &stage.reducer});
    all.push_back({place + ".sink", &stage.sink});
    add(place, stage.augment, "augment");
    add(place, stage.preprocess, "preprocess");
  }
  std::erase_if(all, [](const PlacedPlugin& one) { return !*one.plugin || is_stage_source(*one.plugin); });
  return all;
}

std::string plugin_name(const std::string& place, const plait_type& type) {
  TypeEntry entry;
  entry.type = &type;
  return place + "." + entry.short_name();
}

std::vector<const plait_type*> types_of(const Job& job) {
  std::vector<const plait_type*> types;
  for (const auto& [place, plugin] : plugins_of(job)) {
    types.push_back(plugin->entry->type);
    add_types(*plugin->config, types);
  }
  return types;
}

}  // namespace plait::inline train
