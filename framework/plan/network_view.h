// A network as pretrainers see it.
#pragma once
#include <plait/abi.h>

#include <deque>
#include <string>
#include <vector>

#include "plan/network.h"
#include "registry/block.h"

namespace plait::inline plan {

// The request for one stage. Borrows from `network`; does not move.
class PretrainRequest {
 public:
  PretrainRequest(const Network& network, uint32_t stage, int64_t steps_per_epoch);
  PretrainRequest(const PretrainRequest&) = delete;
  PretrainRequest& operator=(const PretrainRequest&) = delete;
  const plait_pretrain_request* raw() const { return &raw_; }
  // For tests that show plugins what no network is.
  std::deque<plait_network_layer>& layers() { return layers_; }

 private:
  void add(const Network& network, const NodeInfo& node);

  std::deque<plait_tensor_spec> specs_;
  std::deque<std::string> names_;
  std::deque<std::vector<const char*>> inputs_;
  std::deque<RawBlock> mirrors_;
  std::deque<plait_network_layer> layers_;
  std::vector<const plait_network_layer*> pointers_;
  plait_pretrain_request raw_{};
};

// The job with the inputs that its file leaves open: layers that are copied into another network are in
// another order there.
Job with_inputs_named(Job job, const Network& network);

}  // namespace plait::inline plan
