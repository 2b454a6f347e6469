#include "pipeline/stage_text.h"

#include <algorithm>
#include <utility>

#include "base/shown.h"
#include "pipeline/resolved.h"
#include "pipeline/stage_source.h"
#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

constexpr size_t kMostText_bytes = 16 << 20;

StageText& text_of(const plait_stage_builder* builder) {
  return *static_cast<StageText*>(builder->host_data);
}

std::string number_text(double value) { return value_text(ConfigValue(value)); }

std::string name_of(const char* text) { return text == nullptr ? "" : text; }

const plait_field* field_of(const plait_type& type, const std::string& name) {
  for (uint32_t i = 0; i < type.n_fields; ++i)
    if (name == type.fields[i]->name) return type.fields[i];
  return nullptr;
}

std::string value_of(const Setting& setting) {
  switch (setting.kind) {
    case PLAIT_FIELD_BOOL:
      return setting.whole != 0 ? "true" : "false";
    case PLAIT_FIELD_I64:
      return std::to_string(setting.whole);
    case PLAIT_FIELD_F64:
      return number_text(setting.real);
    default:
      return quoted_text(setting.text);
  }
}

// "": a loss that wants none, or the usual one.
std::string target_text(const std::string& target) {
  return target.empty() ? "" : " target: " + quoted_text(target);
}

}  // namespace

StageText::StageText(const Registry& registry, const Job& job) : registry_(registry), job_(job) {
  raw_.struct_size = sizeof raw_;
  raw_.host_data = this;
  raw_.begin = [](const plait_stage_builder* b, const char* title) {
    StageText& stage = text_of(b);
    if (stage.has_begun_) return stage.refuse("a second stage in one answer, wanted at most one");
    if (name_of(title).empty()) return stage.refuse("a stage without a title");
    stage.title_ = shown(title);
    stage.has_begun_ = true;
    return int{PLAIT_OK};
  };
  raw_.copy = [](const plait_stage_builder* b, const plait_layer_copy* copy) {
    StageText& stage = text_of(b);
    stage.copied_.push_back(name_of(copy->name != nullptr ? copy->name : copy->layer));
    return stage.write("a copy of layer \"" + name_of(copy->layer) + "\"", stage.copy_text(*copy));
  };
  raw_.layer = [](const plait_stage_builder* b, const char* name, uint32_t n, const char* const* inputs,
                  const plait_block* block) {
    StageText& stage = text_of(b);
    return stage.write("layer \"" + name_of(name) + "\"",
                       stage.new_layer_text(name, n, inputs, stage.block_text(block, "layer")));
  };
  raw_.corrupt = [](const plait_stage_builder* b, const char* name, const char* input, const char* noise,
                    double amount) {
    StageText& stage = text_of(b);
    return stage.write("layer \"" + name_of(name) + "\"",
                       stage.new_layer_text(name, 1, &input, stage.corruption_text(name_of(noise), amount)));
  };
  raw_.loss = [](const plait_stage_builder* b, const char* input, const char* target, double weight,
                 const plait_block* block) {
    const auto plugin = text_of(b).block_text(block, "loss");
    return text_of(b).write("a loss", !plugin ? plugin
                                              : "loss { input: " + quoted_text(name_of(input)) +
                                                    target_text(name_of(target)) +
                                                    " weight: " + number_text(weight) + " " + *plugin + " }");
  };
  raw_.optimizer = [](const plait_stage_builder* b, const plait_block* block) {
    StageText& stage = text_of(b);
    if (std::exchange(stage.has_optimizer_, true)) return stage.refuse("a second optimizer");
    const auto plugin = stage.block_text(block, "optimizer");
    return stage.write("the optimizer", !plugin ? plugin : "optimizer { " + *plugin + " }");
  };
  raw_.epochs = [](const plait_stage_builder* b, double epochs) {
    StageText& stage = text_of(b);
    if (std::exchange(stage.has_length_, true)) return stage.refuse("its length a second time");
    return stage.write("epochs", "train { epochs: " + number_text(epochs) + " }");
  };
  raw_.steps = [](const plait_stage_builder* b, int64_t steps) {
    StageText& stage = text_of(b);
    if (std::exchange(stage.has_length_, true)) return stage.refuse("its length a second time");
    return stage.write("steps", "train { steps: " + std::to_string(steps) + " }");
  };
}

const plait_pretrain_task* StageText::tasks() {
  static const plait_pretrain_task tasks = {
      sizeof tasks, 0,
      [](const plait_stage_builder* b, const plait_block* augmenter) {
        return text_of(b).prepare(augmenter);
      },
      [](const plait_stage_builder* b, const char* input, const plait_block* task) {
        return text_of(b).task(name_of(input), task);
      },
      [](const plait_stage_builder* b, const char* layer, const char* parameter, const char* array) {
        return text_of(b).take({name_of(layer), name_of(parameter), name_of(array)});
      }};
  return &tasks;
}

int StageText::prepare(const plait_block* augmenter) {
  if (!has_begun_) return refuse("an augmenter before the stage has begun");
  if (is_task()) return refuse("an augmenter after the task, wanted before it");
  const auto plugin = block_text(augmenter, "augmenter");
  if (!plugin) return refuse("an augmenter: " + plugin.status().message());
  prepared_ += "  preprocess { " + *plugin + " }\n";
  return PLAIT_OK;
}

// Its records are the outputs of a copied layer; or the samples, after the job's preprocess, which whoever
// reads the text puts in.
int StageText::task(const std::string& input, const plait_block* block) {
  if (is_task()) return refuse("a second task, wanted one a stage");
  const auto plugin = block_text(block, "task");
  if (!plugin) return write("the task", plugin);
  const bool is_copy = std::ranges::find(copied_, input) != copied_.end();
  if (!is_copy && !copied_.empty())
    return refuse("a task over \"" + shown(input) + "\", which no layer of the stage is");
  task_ = "stage {\n  name: " + quoted_text(title_) + "\n";
  if (is_copy) {
    task_ += "  network { layer: " + quoted_text(input) + " on: train }\n";
  } else if (job_.source) {
    task_ += is_stage_source(job_.source)
                 ? "  " + stage_source_text(job_.source) + "\n"
                 : "  source { " + plugin_text(job_.source, Detail::kWritten) + " }\n";
  }
  task_ += prepared_ + "  " + *plugin + "\n}";
  return write("the task", task_);
}

int StageText::take(const TakenArray& taken) {
  if (!is_task()) return refuse("an array of a task, and the stage has none");
  const auto is_layer = [&](const LayerSpec& layer) { return layer.name == taken.layer; };
  if (std::ranges::none_of(job_.layers, is_layer))
    return refuse("an array for layer \"" + shown(taken.layer) + "\", which the network has not");
  taken_.push_back(taken);
  return PLAIT_OK;
}

int StageText::refuse(const std::string& what) {
  const std::string place = title_.empty() ? "" : "stage \"" + title_ + "\": ";
  if (refused_) refused_ = {Code::kInvalid, place + what};
  return PLAIT_FAILED;
}

int StageText::write(const std::string& what, const Result<std::string>& line) {
  if (!has_begun_) return refuse(shown(what) + " before the stage has begun");
  if (!line) return refuse(shown(what) + ": " + line.status().message());
  if (text_.size() + line->size() > kMostText_bytes)
    return refuse("is larger than " + std::to_string(kMostText_bytes) + " bytes");
  text_ += *line + "\n";
  return PLAIT_OK;
}

Status StageText::check_layer_name(const char* name) const {
  if (name_of(name).empty()) return {Code::kInvalid, "has no name"};
  return check_name(name, "the name");
}

Result<std::string> StageText::copy_text(const plait_layer_copy& copy) const {
  const std::string name = name_of(copy.layer);
  const auto found =
      std::ranges::find_if(job_.layers, [&](const LayerSpec& layer) { return layer.name == name; });
  if (found == job_.layers.end()) return Status(Code::kInvalid, "the network has no layer of this name");
  LayerSpec layer = *found;
  layer.frozen |= (copy.flags & PLAIT_COPY_FROZEN) != 0;
  if (copy.name != nullptr) {
    PLAIT_TRY(check_layer_name(copy.name));
    layer.name = copy.name;
  }
  if (copy.inputs != nullptr) {
    layer.inputs.clear();
    for (uint32_t i = 0; i < copy.n_inputs; ++i) layer.inputs.push_back({name_of(copy.inputs[i]), 0, {}});
  }
  return layer_text(layer, Detail::kWritten);
}

Result<std::string> StageText::new_layer_text(const char* name, uint32_t n_inputs, const char* const* inputs,
                                              const Result<std::string>& plugin) const {
  PLAIT_TRY(check_layer_name(name));
  if (!plugin) return plugin;
  std::string text = "layer { name: " + quoted_text(name);
  for (uint32_t i = 0; i < n_inputs; ++i) text += " input: " + quoted_text(name_of(inputs[i]));
  return text + " " + *plugin + " }";
}

Result<std::string> StageText::block_text(const plait_block* block, const char* kind) const {
  if (block == nullptr) return Status(Code::kInvalid, std::string("has no block, wanted a ") + kind);
  const plait_child* child = block->child;
  const std::string id = name_of(child != nullptr ? child->id : block->type_id);
  if (child != nullptr && std::string(child->kind) != kind)
    return Status(Code::kInvalid, id + " is of the kind " + child->kind + ", wanted " + kind);
  const TypeEntry* entry = registry_.find(kind, id);
  const auto others = registry_.named(id);
  if (entry == nullptr && !others.empty())
    return Status(Code::kInvalid, id + " is of the kind " + others.front()->type->kind + ", wanted " + kind);
  if (entry == nullptr) return Status(Code::kNotFound, "the type " + shown(id) + " is not loaded");
  if (child != nullptr) return plugin_text(*entry->type, *child->config, Detail::kWritten);
  PLAIT_ASSIGN(const std::vector<Setting> settings, settings_of(block->settings, block->n_settings));
  return settings_text(*entry, settings);
}

Result<std::string> StageText::settings_text(const TypeEntry& entry,
                                             const std::vector<Setting>& settings) const {
  std::string inside;
  for (const Setting& setting : settings) {
    if (field_of(*entry.type, setting.name) == nullptr)
      return Status(Code::kInvalid,
                    std::string(entry.type->id) + " has no field \"" + shown(setting.name) + "\"");
    inside += setting.name + ": " + value_of(setting) + " ";
  }
  return type_text(*entry.type) + " { " + inside + "}";
}

// The one type that says that it makes this noise; or the type whose id is in its place.
Result<std::string> StageText::corruption_text(const std::string& noise, double amount) const {
  std::vector<const TypeEntry*> found;
  for (const auto& [type, entry] : registry_.types()) {
    if (type.kind != kKindOf<plait_layer_ops>) continue;
    const auto* rules = static_cast<const plait_layer_rules*>(entry.type->rules);
    if (!PLAIT_HAS(rules, corruption)) continue;
    if (noise == rules->corruption->noise || noise == type.id) found.push_back(&entry);
  }
  if (found.empty())
    return Status(Code::kNotFound, "no layer that is loaded corrupts its input by \"" + shown(noise) + "\"");
  if (found.size() > 1)
    return Status(Code::kInvalid, std::string("both ") + found[0]->type->id + " and " + found[1]->type->id +
                                      " corrupt their input by \"" + shown(noise) + "\": name one of them");
  const TypeEntry& entry = *found.front();
  const auto& corruption = *static_cast<const plait_layer_rules*>(entry.type->rules)->corruption;
  PLAIT_ASSIGN(std::vector<Setting> settings, settings_of(corruption.settings, corruption.n_settings));
  settings.push_back({PLAIT_FIELD_F64, corruption.amount, 0, amount, ""});
  return settings_text(entry, settings);
}

}  // namespace plait::inline pipeline
