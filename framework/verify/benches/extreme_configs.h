// Configurations drawn over the whole ranges that a type declares, edges first: what a file may hold, however
// little sense it makes. ConfigSampler (config_samples.h) draws what makes sense.
#pragma once
#include <memory>
#include <vector>

#include "registry/config.h"
#include "registry/registry.h"
#include "verify/engine/dice.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

// Threads: [one at a time]
class ExtremeConfigs {
 public:
  // Children are taken from `registry`.
  ExtremeConfigs(const Registry& registry, Dice& dice) : registry_(registry), dice_(dice) {}

  // A copy of `base` in which fields are drawn anew: one of them, some, or all. Texts and paths stay: they
  // mean something. Null where a required field cannot be drawn.
  std::shared_ptr<plait_config> changed(const plait_config& base);

  int64_t integer(const plait_field& field);
  double number(const plait_field& field);

 private:
  bool change(plait_config& config, double share);
  bool draw(ConfigField& field);
  bool draw_value(const plait_field& field, ConfigValue& value);
  bool draw_child(const plait_field& field, ConfigValue& value);

  const Registry& registry_;
  Dice& dice_;
  int depth_ = 0;
};

// Up to `count` of them that the type's validate accepts, made of its examples and of its defaults.
// Fails with: skipped, when there is none; a failure without a reason.
Result<std::vector<Example>> extreme_cases(Trial& trial, size_t count);

}  // namespace plait::inline verify
