#include "plan/loss_request.h"

namespace plait::inline plan {
namespace {

// One number a sample: [N], whatever the part's shape is.
std::vector<PartSpec> weights_of(const Network& network, const HeadInfo& head) {
  if (head.weights < 0) return {};
  std::vector<PartSpec> specs = specs_of(network, {head.weights});
  specs.front().shape = {network.batch};
  return specs;
}

}  // namespace

LossRequest::LossRequest(const Network& network, const HeadInfo& head, bool training)
    : input_specs_(specs_of(network, head.inputs)),
      target_specs_(specs_of(network, head.targets)),
      weight_specs_(weights_of(network, head)),
      inputs_(input_specs_),
      targets_(target_specs_),
      weights_(weight_specs_) {
  request_.struct_size = sizeof request_;
  request_.training = training;
  request_.config = head.plugin->config.get();
  request_.prediction = inputs_.data()[0];
  request_.target = targets_.size() > 0 ? targets_.data()[0] : nullptr;
  request_.n_predictions = inputs_.size();
  request_.n_targets = targets_.size();
  request_.predictions = inputs_.data();
  request_.targets = targets_.data();
  request_.weights = weights_.size() > 0 ? weights_.data()[0] : nullptr;
}

}  // namespace plait::inline plan
