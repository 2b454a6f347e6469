// A loss on the test host: checked, created and computed on its own memory. See testing.hpp.
#pragma once
#include "testing.hpp"

namespace plait::sdk::testing {

class LossTest {
 public:
  // As many as were given. Of weights one a sample, where wanted.
  std::deque<TestTensor> predictions, targets, gradients;
  std::optional<TestTensor> weights;
  // The first of each; without a target, one of nothing.
  TestTensor &prediction, &target, &gradient;
  double gradient_scale = 1;
  double result[2] = {-1, -1};  // sum of losses, number of samples
  int32_t bad_target = -1;

  LossTest(TestHost& host, const Entry& entry, Settings settings, PartSpec prediction_spec,
           PartSpec target_spec)
      : LossTest(host, entry, std::move(settings), std::vector<PartSpec>{std::move(prediction_spec)},
                 std::vector<PartSpec>{std::move(target_spec)}) {}
  LossTest(TestHost& host, const Entry& entry, Settings settings, const std::vector<PartSpec>& of_predictions,
           const std::vector<PartSpec>& of_targets, bool weighted = false)
      : predictions(of_predictions.begin(), of_predictions.end()),
        targets(of_targets.begin(), of_targets.end()),
        gradients(of_predictions.begin(), of_predictions.end()),
        prediction(predictions.front()),
        target(targets.empty() ? nothing_ : targets.front()),
        gradient(gradients.front()),
        host_(host),
        ops_(*static_cast<const plait_loss_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    if (weighted) weights.emplace("weights", DType::f32, std::vector{prediction.spec().shape.front()});
    const SpecList p(of_predictions), t(of_targets);
    std::vector<PartSpec> of_weights;
    if (weights) of_weights.push_back(weights->spec());
    const SpecList w(of_weights);
    plait_loss_request request{};
    request.struct_size = sizeof request;
    request.training = 1;
    request.config = settings_.c();
    request.prediction = p.data()[0];
    request.target = t.size() > 0 ? t.data()[0] : nullptr;
    request.n_predictions = p.size();
    request.n_targets = t.size();
    request.predictions = p.data();
    request.targets = t.data();
    request.weights = weights ? w.data()[0] : nullptr;
    host_.check(static_cast<const plait_loss_rules*>(entry.type.rules)->check(host_.context(), &request));
    host_.check(ops_.create(host_.context(), &request, &self_));
    workspace_.emplace("", DType::u8, std::vector<int64_t>{static_cast<int64_t>(request.workspace_bytes)});
  }
  ~LossTest() {
    if (self_) ops_.destroy(self_);
  }
  LossTest(const LossTest&) = delete;
  LossTest& operator=(const LossTest&) = delete;

  // Mean loss. Fails when the loss does, or writes past the end of its memory.
  double compute(bool with_gradient = true) {
    const auto p = pointers(predictions), t = pointers(targets);
    auto dp = pointers(gradients);
    if (!with_gradient) std::fill(dp.begin(), dp.end(), nullptr);
    plait_loss_call call{};
    call.struct_size = sizeof call;
    call.prediction = p.front();
    call.target = t.empty() ? nullptr : t.front();
    call.prediction_gradient = dp.front();
    call.result = result;
    call.workspace = workspace_->view().raw();
    call.bad_target = &bad_target;
    call.gradient_scale = gradient_scale;
    call.n_predictions = static_cast<uint32_t>(p.size());
    call.n_targets = static_cast<uint32_t>(t.size());
    call.predictions = p.data();
    call.targets = t.data();
    call.prediction_gradients = dp.data();
    call.weights = weights ? weights->c() : nullptr;
    host_.check(ops_.compute(self_, host_.context(), &call));
    bool intact = workspace_->intact();
    for (const TestTensor& one : gradients) intact = intact && one.intact();
    if (!intact) throw std::runtime_error("wrote past the end of its memory");
    return result[1] > 0 ? result[0] / result[1] : 0;
  }

 private:
  TestTensor nothing_{"", DType::f32, {0}};
  TestHost& host_;
  const plait_loss_ops& ops_;
  Settings settings_;
  std::optional<TestTensor> workspace_;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
