// What a file may name of a loss: how many predictions and targets, and whether weights.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <string>

namespace plait::inline registry {

struct LossForm {
  uint32_t least_predictions = 1, most_predictions = 1;
  uint32_t least_targets = 1, most_targets = 1;
  bool takes_weights = false;
  const plait_ports* predictions = nullptr;
  const plait_ports* targets = nullptr;

  // "wants 3 predictions (anchor, positive, negative), got 1"; "" where the number fits.
  std::string prediction_fault(size_t got) const;
  std::string target_fault(size_t got) const;
};

// `type`: a loss.
LossForm loss_form(const plait_type& type);

}  // namespace plait::inline registry
