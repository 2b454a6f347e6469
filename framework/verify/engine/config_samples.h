// Configurations drawn from what a type says of its fields.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "registry/config.h"
#include "registry/registry.h"
#include "verify/engine/dice.h"

namespace plait::inline verify {

// "{rate: 0.5 mode: \"zero\"}": the values that differ from the defaults, as in a file.
std::string config_text(const plait_config& config);
// "stride: 2 stride: 3": the values of one field.
std::string field_text(const ConfigField& field);

// Threads: [one at a time]
class ConfigSampler {
 public:
  // Children are taken from `registry`.
  ConfigSampler(const Registry& registry, Dice& dice) : registry_(registry), dice_(dice) {}

  // Defaults, and a drawn value where a field has none but is required.
  std::shared_ptr<plait_config> plain(const plait_type& type) { return sample(type, 0); }
  // Every field is drawn anew with probability one half, within its range.
  std::shared_ptr<plait_config> random(const plait_type& type) { return sample(type, 0.5); }
  // Null where a field needs a plugin of a kind that is not loaded, or a file.

 private:
  std::shared_ptr<plait_config> sample(const plait_type& type, double share);
  bool draw_fields(plait_config& config, double share);
  bool draw_field(ConfigField& field);
  bool draw_value(const plait_field& field, ConfigValue& value);
  int64_t draw_integer(const plait_field& field, const ConfigField& now);
  double draw_number(const plait_field& field);
  bool draw_child(const plait_field& field, ConfigValue& value);

  const Registry& registry_;
  Dice& dice_;
  int depth_ = 0;
};

}  // namespace plait::inline verify
