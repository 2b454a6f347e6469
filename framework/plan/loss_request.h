// What a loss is asked about: the shapes of what it reads.
#pragma once
#include <plait/abi.h>

#include <memory>

#include "plan/network.h"
#include "registry/parts.h"

namespace plait::inline plan {

// Does not move.
class LossRequest {
 public:
  // `network` and `head` outlive it.
  LossRequest(const Network& network, const HeadInfo& head, bool training = true);
  LossRequest(const LossRequest&) = delete;
  LossRequest& operator=(const LossRequest&) = delete;
  plait_loss_request* raw() { return &request_; }

 private:
  std::vector<PartSpec> input_specs_, target_specs_, weight_specs_;
  RawParts inputs_, targets_, weights_;
  plait_loss_request request_{};
};

}  // namespace plait::inline plan
