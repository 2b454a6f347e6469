#include "plan/step_cost.h"

#include <fmt/format.h>

#include <algorithm>

namespace plait::inline plan {
namespace {

class CostCounter {
 public:
  explicit CostCounter(const Plan& plan) : plan_(plan) {}

  std::vector<StepCost> run() const {
    std::vector<StepCost> costs;
    for (const Step& step : plan_.steps()) costs.push_back(forward(step));
    for (const LossStep& loss : plan_.losses()) costs.push_back(this->loss(loss));
    for (auto step = plan_.steps().rbegin(); step != plan_.steps().rend(); ++step)
      if (step->backward) costs.push_back(backward(*step));
    return costs;
  }

 private:
  const NodeInfo& node(const Step& step) const {
    return plan_.network().nodes[static_cast<size_t>(step.node)];
  }
  double tensor_bytes(int tensor) const {
    return static_cast<double>(byte_count(plan_.network().tensors[static_cast<size_t>(tensor)].spec));
  }
  double tensor_bytes(const std::vector<int>& tensors) const {
    double bytes = 0;
    for (const int tensor : tensors) bytes += tensor_bytes(tensor);
    return bytes;
  }
  double parameter_bytes(const Step& step, bool trained_alone) const {
    double bytes = 0;
    for (const int number : step.parameters) {
      const ParameterPlace& place = plan_.parameters()[static_cast<size_t>(number)];
      if (place.trained || !trained_alone) bytes += static_cast<double>(place.stored) * sizeof(float);
    }
    return bytes;
  }

  StepCost forward(const Step& step) const {
    StepCost cost;
    cost.layer = plan_.network().step_name(step.node);
    cost.phase = plan_.options().training ? "forward" : "evaluation";
    cost.multiply_adds = node(step).multiply_adds;
    cost.bytes = tensor_bytes(step.inputs) + tensor_bytes(step.outputs) + parameter_bytes(step, false);
    cost.kernels = step.kernels.forward;
    return cost;
  }

  StepCost backward(const Step& step) const {
    StepCost cost;
    cost.layer = plan_.network().step_name(step.node);
    cost.phase = "backward";
    cost.kernels = step.kernels.backward;
    cost.bytes = tensor_bytes(step.outputs);  // their gradients
    if (step.backward_reads & PLAIT_READS_INPUTS) cost.bytes += tensor_bytes(step.inputs);
    if (step.backward_reads & PLAIT_READS_OUTPUTS) cost.bytes += tensor_bytes(step.outputs);
    bool to_inputs = false;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (step.input_gradients[i].offset == kNoOffset) continue;
      to_inputs = true;
      cost.bytes += tensor_bytes(step.inputs[i]);
    }
    const double gradients = parameter_bytes(step, true);
    cost.bytes += gradients + (to_inputs ? parameter_bytes(step, false) : 0);
    cost.multiply_adds = node(step).multiply_adds * ((to_inputs ? 1 : 0) + (gradients > 0 ? 1 : 0));
    return cost;
  }

  StepCost loss(const LossStep& step) const {
    const HeadInfo& head = plan_.network().losses[static_cast<size_t>(step.head)];
    StepCost cost;
    cost.layer = head.name;
    cost.phase = "loss";
    cost.bytes = tensor_bytes(head.reads());
    for (size_t i = 0; i < step.gradients.size(); ++i)
      if (step.gradients[i] != kNoOffset) cost.bytes += tensor_bytes(head.inputs[i]);
    cost.kernels = {"own:" + head.plugin->entry->short_name()};
    return cost;
  }

  const Plan& plan_;
};

}  // namespace

bool StepCost::is_onednn() const {
  return std::ranges::any_of(kernels, [](const std::string& text) { return text.starts_with("onednn:"); });
}

std::vector<StepCost> step_costs(const Plan& plan) { return CostCounter(plan).run(); }

std::string kernel_table(const std::vector<StepCost>& costs) {
  size_t layer = 5, phase = 5;
  for (const StepCost& cost : costs) {
    layer = std::max(layer, cost.layer.size());
    phase = std::max(phase, cost.phase.size());
  }
  std::string text = fmt::format("{:<{}}  {:<{}}  runs\n", "layer", layer, "phase", phase);
  for (const StepCost& cost : costs)
    for (const std::string& kernel : cost.kernels)
      text += fmt::format("{:<{}}  {:<{}}  {}\n", cost.layer, layer, cost.phase, phase, kernel);
  return text;
}

}  // namespace plait::inline plan
