// What plugins read of a configuration, through the C border.
#include <cstring>

#include "registry/config.h"
#include "registry/stage_arrays.h"

namespace plait::inline registry {
namespace {

const ConfigValue* value_at(const plait_config* config, const char* field, uint32_t index, uint32_t kind) {
  if (config == nullptr || field == nullptr) return nullptr;
  const ConfigField* found = config->find(field);
  if (found == nullptr || found->field->kind != kind || index >= found->values.size()) return nullptr;
  return &found->values[index];
}

uint32_t count(const plait_config* config, const char* field) {
  const ConfigField* found = config && field ? config->find(field) : nullptr;
  return found ? static_cast<uint32_t>(found->values.size()) : 0;
}

template <class Stored, uint32_t kKind, class Out>
int scalar(const plait_config* config, const char* field, uint32_t index, Out* out) {
  const ConfigValue* value = value_at(config, field, index, kKind);
  const Stored* stored = value ? std::get_if<Stored>(value) : nullptr;
  if (stored == nullptr) return PLAIT_FAILED;
  *out = *stored;
  return PLAIT_OK;
}

int string(const plait_config* config, const char* field, uint32_t index, plait_str* out) {
  const ConfigValue* value = value_at(config, field, index, PLAIT_FIELD_STRING);
  if (value == nullptr) value = value_at(config, field, index, PLAIT_FIELD_ENUM);
  const auto* text = value ? std::get_if<std::string>(value) : nullptr;
  if (text == nullptr) return PLAIT_FAILED;
  *out = {text->data(), text->size()};
  return PLAIT_OK;
}

const plait_config* message(const plait_config* config, const char* field, uint32_t index) {
  const ConfigValue* value = value_at(config, field, index, PLAIT_FIELD_MESSAGE);
  const auto* nested = value ? std::get_if<std::shared_ptr<plait_config>>(value) : nullptr;
  return nested ? nested->get() : nullptr;
}

const plait_child* child(const plait_config* config, const char* field, uint32_t index) {
  const ConfigValue* value = value_at(config, field, index, PLAIT_FIELD_CHILD);
  const auto* found = value ? std::get_if<std::shared_ptr<ConfigChild>>(value) : nullptr;
  return found && *found && (*found)->instance.ops ? &(*found)->instance : nullptr;
}

const plait_stage_output* stage(const plait_config* config, const char* field, uint32_t index) {
  const ConfigField* found = config && field ? config->find(field) : nullptr;
  const bool is_there = found != nullptr && index < found->stages.size() && found->stages[index] != nullptr;
  return is_there ? found->stages[index]->raw() : nullptr;
}

const void* no_extension(const char*) { return nullptr; }

}  // namespace

const plait_host& host_table() {
  static const plait_host host = {
      .struct_size = sizeof(plait_host),
      .abi_minor = PLAIT_ABI_MINOR,
      .abi_draft = PLAIT_ABI_DRAFT,
      .reserved = 0,
      .version = PLAIT_VERSION,
      .config_count = count,
      .config_bool = scalar<bool, PLAIT_FIELD_BOOL, int32_t>,
      .config_i64 = scalar<int64_t, PLAIT_FIELD_I64, int64_t>,
      .config_f64 = scalar<double, PLAIT_FIELD_F64, double>,
      .config_string = string,
      .config_message = message,
      .config_child = child,
      .get_extension = no_extension,
      .config_stage = stage,
  };
  return host;
}

}  // namespace plait::inline registry
