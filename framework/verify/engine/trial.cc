#include "verify/engine/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "pipeline/core_fields.h"
#include "pipeline/load.h"
#include "registry/shape_text.h"
#include "registry/stage_arrays.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

std::string word_of(const TypeEntry& entry) {
  const std::string id = entry.type->id, name = entry.short_name();
  return name == id ? "[" + id + "]" : name;
}

Result<std::shared_ptr<StageArrays>> arrays_of(const plait_verify_stage& stage) {
  std::vector<StageArrays::Array> arrays;
  for (uint32_t i = 0; i < stage.n_arrays; ++i) {
    const plait_tensor& tensor = *stage.arrays[i];
    StageArrays::Array& array = arrays.emplace_back();
    array.spec = {tensor.name, tensor.dtype, {tensor.shape, tensor.shape + tensor.rank}};
    const auto* bytes = static_cast<const std::byte*>(tensor.data);
    array.bytes.assign(bytes, bytes + byte_count(array.spec));
  }
  auto made = std::make_shared<StageArrays>();
  PLAIT_TRY(made->set(std::move(arrays)));
  return made;
}

// Fields that name a stage get the arrays that the example has for it.
Status link_stages(const plait_verify_example& example, plait_config& config) {
  const plait_verify_example* const given = &example;
  const uint32_t count = PLAIT_HAS(given, stages) ? given->n_stages : 0;
  for (ConfigField& field : config.fields) {
    if ((field.field->flags & PLAIT_FIELD_STAGE) == 0) continue;
    field.stages.assign(field.values.size(), nullptr);
    for (size_t k = 0; k < field.values.size(); ++k) {
      const auto& name = std::get<std::string>(field.values[k]);
      for (uint32_t i = 0; i < count; ++i) {
        if (name != example.stages[i]->name) continue;
        PLAIT_ASSIGN(field.stages[k], arrays_of(*example.stages[i]));
      }
      if (!name.empty() && field.stages[k] == nullptr)
        return {Code::kInvalid,
                fmt::format("field \"{}\" names the stage \"{}\", and the example has no arrays "
                            "of it",
                            field.field->name, name)};
    }
  }
  return {};
}

Result<std::shared_ptr<plait_config>> parse_fields(const Registry& registry, const TypeEntry& entry,
                                                   const plait_verify_example& example) {
  const auto blocks = blocks_of(entry.type->kind);
  std::string text = fmt::format("{} {{ {} }}", word_of(entry), example.fields);
  for (size_t i = blocks.size(); i-- > 0;) text = fmt::format("{} {{ {} }}", blocks[i], text);
  PLAIT_ASSIGN(const PluginSpec plugin,
               parse_plugin(registry, blocks, text, fmt::format("example of {}", entry.type->id)));
  PLAIT_TRY(link_stages(example, *plugin.config).at(fmt::format("example of {}", entry.type->id)));
  return plugin.config;
}

bool writes_the_same(const plait_config& example, const plait_config& config) {
  for (size_t i = 0; i < example.fields.size(); ++i) {
    const ConfigField &written = example.fields[i], &other = config.fields[i];
    if (!written.is_default && field_text(written) != field_text(other)) return false;
  }
  return true;
}

bool are_the_same(const std::vector<PartSpec>& some, const std::vector<PartSpec>& others) {
  return std::ranges::equal(some, others, [](const PartSpec& a, const PartSpec& b) {
    return a.dtype == b.dtype && a.shape == b.shape && a.variable_axis == b.variable_axis &&
           a.second_axis == b.second_axis;
  });
}

}  // namespace

uint32_t flags_of(const std::vector<Example>& examples, const plait_config& config,
                  const std::vector<PartSpec>& inputs) {
  uint32_t flags = 0;
  for (const Example& one : examples)
    if (writes_the_same(*one.config, config) && (one.inputs.empty() || are_the_same(one.inputs, inputs)))
      flags |= one.flags;
  return flags;
}

std::string TestName::text() const {
  std::string what = std::filesystem::path(file).filename();
  if (!type_id.empty()) what = device_id == PLAIT_HOST_DEVICE ? type_id : type_id + "@" + device_id;
  if (shares_id) what = kind + " " + what;
  return what + ": " + law;
}

Trial::Trial(TestName name, uint64_t seed, const Registry* registry, TestProgress* progress)
    : name_(std::move(name)), registry_(registry), dice_(seed, name_.text()), progress_(progress) {
  if (registry_ != nullptr && !name_.type_id.empty()) entry_ = registry_->find(name_.kind, name_.type_id);
}

void Trial::doing(const std::string& text) {
  const size_t size = std::min(text.size(), sizeof progress_->text - 1);
  std::memcpy(progress_->text, text.data(), size);
  progress_->text[size] = '\0';
}

void Trial::remark(const std::string& text) {
  if (remarks_.find(text) != std::string::npos) return;
  remarks_ += (remarks_.empty() ? "" : "; ") + text;
}

Status Trial::open_device() {
  const std::string& id = name_.device_id;
  if (id.empty() || id == PLAIT_HOST_DEVICE) return {};
  const TypeEntry* entry = registry_->find(kKindOf<plait_device_ops>, id);
  if (entry == nullptr) return skipped(fmt::format("device {} is not loaded", id));
  doing("opening device " + id);
  const auto config = default_config(*entry->type);
  if (!config) return skipped(fmt::format("device {} does not open with its defaults", id));
  auto opened = Device::open(*registry_, *entry, **config);
  if (!opened) return skipped(fmt::format("device {} does not open here: {}", id, opened.status().message()));
  device_ = std::move(*opened);
  return {};
}

const plait_verify_hints* Trial::hints() const {
  const plait_plugin* plugin = entry_->file->plugin;
  if (!PLAIT_HAS(plugin, get_extension)) return nullptr;
  return static_cast<const plait_verify_hints*>(plugin->get_extension(PLAIT_EXTENSION_VERIFY));
}

Result<std::vector<Example>> Trial::examples() {
  std::vector<Example> found;
  const plait_verify_hints* given = hints();
  if (given != nullptr && PLAIT_HAS(given, prepare) && given->prepare() != 0)
    return {Code::kPlugin, "the hints could not write their files"};
  for (uint32_t i = 0; given != nullptr && i < given->n_examples; ++i) {
    const plait_verify_example& hint = *given->examples[i];
    const plait_verify_example* const asked = &hint;
    if (name_.type_id != hint.type_id || (PLAIT_HAS(asked, kind) && name_.kind != hint.kind)) continue;
    Example example;
    PLAIT_ASSIGN(example.config, parse_fields(*registry_, *entry_, hint));
    for (uint32_t k = 0; k < hint.n_inputs; ++k) {
      const plait_tensor_spec& spec = *hint.inputs[k];
      PartSpec part{spec.name ? spec.name : "", spec.dtype, {}, spec.variable_axis};
      part.shape.assign(spec.shape, spec.shape + spec.rank);
      PLAIT_ASSIGN(part.second_axis, second_axis_of(spec, "input " + std::to_string(k) + " of an example"));
      example.inputs.push_back(part);
    }
    example.flags = hint.flags;
    example.integer_bound = hint.integer_bound;
    found.push_back(std::move(example));
  }
  return found;
}

}  // namespace plait::inline verify
