#include "registry/loss_form.h"

#include <fmt/format.h>

#include "registry/ports.h"

namespace plait::inline registry {
namespace {

std::string fault(uint32_t least, uint32_t most, size_t got, const char* of, const plait_ports* ports) {
  if (got >= least && got <= most) return "";
  const std::string wanted = least == most        ? fmt::format("{}", least)
                             : most == UINT32_MAX ? fmt::format("{} or more", least)
                                                  : fmt::format("{} to {}", least, most);
  return fmt::format("wants {} {}{}{}, got {}", wanted, of, most == 1 ? "" : "s", port_names(ports), got);
}

}  // namespace

std::string LossForm::prediction_fault(size_t got) const {
  return fault(least_predictions, most_predictions, got, "prediction", predictions);
}

std::string LossForm::target_fault(size_t got) const {
  return fault(least_targets, most_targets, got, "target", targets);
}

LossForm loss_form(const plait_type& type) {
  LossForm form;
  const auto* rules = static_cast<const plait_loss_rules*>(type.rules);
  if (PLAIT_HAS(rules, flags)) form.takes_weights = (rules->flags & PLAIT_LOSS_WEIGHTS) != 0;
  if (PLAIT_HAS(rules, prediction_ports)) form.predictions = rules->prediction_ports;
  if (PLAIT_HAS(rules, target_ports)) form.targets = rules->target_ports;
  if (!PLAIT_HAS(rules, max_predictions)) return form;
  form.least_predictions = rules->min_predictions, form.most_predictions = rules->max_predictions;
  form.least_targets = rules->min_targets, form.most_targets = rules->max_targets;
  return form;
}

}  // namespace plait::inline registry
