// A loss on the test host: checked, created and computed on its own memory. See testing.hpp.
#pragma once
#include "testing.hpp"

namespace plait::sdk::testing {

class LossTest {
 public:
  TestTensor prediction, target, gradient;
  double gradient_scale = 1;
  double result[2] = {-1, -1};  // sum of losses, number of samples
  int32_t bad_target = -1;

  LossTest(TestHost& host, const Entry& entry, Settings settings, PartSpec prediction_spec,
           PartSpec target_spec)
      : prediction(prediction_spec),
        target(target_spec),
        gradient(prediction_spec),
        host_(host),
        ops_(*static_cast<const plait_loss_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    const plait_tensor_spec p = prediction.spec().c(), t = target.spec().c();
    plait_loss_request request{};
    request.struct_size = sizeof request;
    request.training = 1;
    request.config = settings_.c();
    request.prediction = &p;
    request.target = &t;
    host_.check(static_cast<const plait_loss_rules*>(entry.type.rules)->check(host_.context(), &request));
    host_.check(ops_.create(host_.context(), &request, &self_));
    workspace_.emplace("", DType::u8, std::vector<int64_t>{static_cast<int64_t>(request.workspace_bytes)});
  }
  ~LossTest() {
    if (self_) ops_.destroy(self_);
  }
  LossTest(const LossTest&) = delete;
  LossTest& operator=(const LossTest&) = delete;

  // Mean loss. Fails when the loss does, or writes behind the end of its memory.
  double compute(bool with_gradient = true) {
    plait_loss_call call{};
    call.struct_size = sizeof call;
    call.prediction = prediction.c();
    call.target = target.c();
    call.prediction_gradient = with_gradient ? gradient.c() : nullptr;
    call.result = result;
    call.workspace = workspace_->view().raw();
    call.bad_target = &bad_target;
    call.gradient_scale = gradient_scale;
    host_.check(ops_.compute(self_, host_.context(), &call));
    if (!gradient.intact() || !workspace_->intact())
      throw std::runtime_error("wrote behind the end of its memory");
    return result[1] > 0 ? result[0] / result[1] : 0;
  }

 private:
  TestHost& host_;
  const plait_loss_ops& ops_;
  Settings settings_;
  std::optional<TestTensor> workspace_;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
