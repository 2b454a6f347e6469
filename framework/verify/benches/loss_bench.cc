#include "verify/benches/loss_bench.h"

#include <fmt/format.h>

#include <optional>

#include "registry/shape_text.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait {
namespace {

constexpr uint32_t kTargetTypes[] = {PLAIT_F32, PLAIT_I32, PLAIT_U8, PLAIT_I64};

// Likely targets of a type: numbers beside the prediction's, or labels.
std::vector<PartSpec> targets_for(const PartSpec& prediction, uint32_t dtype) {
  if (dtype == PLAIT_F32) return {{"target", dtype, prediction.shape, -1}};
  std::vector<PartSpec> targets;
  std::vector<int64_t> inner(prediction.shape.begin(), prediction.shape.end() - 1), one = inner;
  one.push_back(1);
  for (const auto& shape : {inner, one, prediction.shape}) targets.push_back({"target", dtype, shape, -1});
  return targets;
}

bool fits(Trial& trial, const LossCase& made) {
  const plait_tensor_spec prediction = made.prediction.raw(), target = made.target.raw();
  const plait_loss_request request = loss_request(made, prediction, target, true);
  CallContext context;
  trial.doing("check, " + made.text());
  return static_cast<bool>(
      context.call([&] { return trial.rules<plait_loss_rules>().check(context.raw(), &request); }));
}

// Targets that are numbers may have to be shares of classes: along the last axis they sum to 1. A single
// number may have to be a class: the first.
void share_out(SampleTensor& target) {
  const auto classes = static_cast<uint64_t>(target.spec().shape.back());
  for (uint64_t begin = 0; begin < target.elements(); begin += classes) {
    double sum = 0;
    for (uint64_t k = 0; k < classes; ++k) sum += target.get(begin + k);
    for (uint64_t k = 0; k < classes; ++k)
      target.set(begin + k, classes == 1 ? 0 : target.get(begin + k) / sum);
  }
}

// An implementation may do less than its type: then create says that it is unsupported.
bool is_supported(Trial& trial, const LossCase& made) {
  return LossBench::create(trial, made).status().code() != Code::kUnsupported;
}

// A check may let more through than compute takes (that of the SDK, where there is no other, compares shapes
// alone). Whether it works is asked of all types of targets but the first.
bool computes(Trial& trial, const LossCase& made) {
  const auto bench = LossBench::create(trial, made);
  Dice dice(1, "types");
  return bench && LossRun(**bench, dice).compute();
}

std::optional<LossCase> guessed_case(Trial& trial, const Example& one, const std::vector<int64_t>& shape,
                                     uint32_t dtype) {
  const PartSpec prediction{"prediction", PLAIT_F32, shape, -1};
  for (const PartSpec& target : targets_for(prediction, dtype)) {
    LossCase made{one.config, prediction, target,
                  static_cast<uint32_t>(shape.back())};  // classes, along the last axis
    if (target.shape == prediction.shape && is_integer(target)) made.bound = 2;
    if (fits(trial, made)) return made;
  }
  return {};
}

// All that fits, each with another configuration and another shape than the one before.
std::vector<LossCase> guessed_cases(Trial& trial, const std::vector<Example>& configs, uint32_t dtype) {
  static const std::vector<std::vector<int64_t>> kShapes = {{3, 4}, {1, 5}, {2, 3, 5, 2}, {4, 1}, {2, 6, 3}};
  std::vector<LossCase> cases;
  const size_t steps =
      configs.size() % kShapes.size() == 0 ? configs.size() : SIZE_MAX;  // then pairs would repeat
  for (size_t n = 0; n < configs.size() * kShapes.size(); ++n) {
    const auto& shape = kShapes[(n + n / steps) % kShapes.size()];
    if (auto made = guessed_case(trial, configs[n % configs.size()], shape, dtype))
      cases.push_back(std::move(*made));
  }
  return cases;
}

}  // namespace

std::string LossCase::text() const {
  return fmt::format("{}, prediction {}, target {}", config_text(*config), shape_text(prediction),
                     shape_text(target));
}

bool is_integer(const PartSpec& spec) { return spec.dtype != PLAIT_F32 && spec.dtype != PLAIT_F64; }

plait_loss_request loss_request(const LossCase& made, const plait_tensor_spec& prediction,
                                const plait_tensor_spec& target, bool training) {
  plait_loss_request request{};
  request.struct_size = sizeof request;
  request.training = training;
  request.config = made.config.get();
  request.prediction = &prediction;
  request.target = &target;
  return request;
}

Result<std::vector<LossCase>> loss_cases(Trial& trial) {
  constexpr size_t kCases = 16;
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  std::vector<LossCase> cases;
  for (const Example& one : configs)
    if (one.inputs.size() == 2)
      cases.push_back({one.config, one.inputs[0], one.inputs[1], std::max(one.integer_bound, 1u)});
  // Types of targets in turn: a loss may do something else for each of them.
  std::vector<std::vector<LossCase>> by_type;
  for (const uint32_t dtype : kTargetTypes) by_type.push_back(guessed_cases(trial, configs, dtype));
  std::optional<uint32_t> first_type;
  if (!cases.empty()) first_type = cases.front().target.dtype;
  for (size_t n = 0; n < kCases; ++n) {
    for (const auto& guessed : by_type) {
      if (n >= guessed.size() || cases.size() >= kCases || !is_supported(trial, guessed[n])) continue;
      if (!first_type) first_type = guessed[n].target.dtype;
      if (guessed[n].target.dtype == *first_type || computes(trial, guessed[n])) cases.push_back(guessed[n]);
    }
  }
  if (cases.empty())
    return skipped("no prediction and target found that the loss accepts; give an example (plait/verify.h)");
  return cases;
}

Result<std::unique_ptr<LossBench>> LossBench::create(Trial& trial, const LossCase& made, bool training) {
  std::unique_ptr<LossBench> bench(new LossBench(trial, made));
  const plait_tensor_spec prediction = made.prediction.raw(), target = made.target.raw();
  plait_loss_request request = loss_request(made, prediction, target, training);
  CallContext context;
  PLAIT_ASSIGN(const auto side, DeviceSide::create(bench->device_));
  side->serve(context);
  trial.doing("create, " + made.text());
  PLAIT_TRY(context.call([&] { return bench->ops_.create(context.raw(), &request, &bench->self_); })
                .at("create, " + made.text()));
  bench->workspace_bytes_ = request.workspace_bytes;
  return bench;
}

LossRun::LossRun(const LossBench& bench, Dice& dice, Poison poison)
    : prediction(bench.made().prediction, poison),
      target(bench.made().target, poison),
      gradient(bench.made().prediction, poison),
      workspace(bench.workspace_bytes(), poison),
      result(2 * sizeof(double), poison),
      bad(sizeof(int32_t), poison),
      bench_(bench) {
  prediction.draw(dice, 0.05, 0.95, 2);  // fits probabilities and scores alike
  target.draw(dice, 0.05, 0.95, bench.made().bound);
  if (target.spec().dtype == PLAIT_F32) share_out(target);
}

void LossRun::draw(Dice& dice, double low, double high, bool targets) {
  prediction.draw(dice, low, high, 2);
  if (targets && target.spec().dtype == PLAIT_F32) target.draw(dice, low, high, 2);
}

std::string LossRun::target_text() const {
  if (is_integer(target.spec())) return fmt::format("0 .. {}", bench_.made().bound - 1);
  return target.spec().shape.back() == 1 ? "zeros" : "shares that sum to 1";
}

Status LossRun::lend() {
  PLAIT_ASSIGN(side_, DeviceSide::create(bench_.device()));
  side_->serve(context);
  for (SampleTensor* tensor : {&prediction, &target, &gradient}) PLAIT_TRY(tensor->lend_to(*side_));
  for (Guarded* block : {&workspace, &result, &bad}) PLAIT_TRY(side_->lend(*block));
  return {};
}

Status LossRun::compute(bool with_gradient, double scale) {
  if (side_ == nullptr) PLAIT_TRY(lend());
  plait_loss_call call{};
  call.struct_size = sizeof call;
  call.prediction = prediction.raw();
  call.target = target.raw();
  call.prediction_gradient = with_gradient ? gradient.raw() : nullptr;
  call.result = result.given_as<double>();
  call.workspace = workspace.given();
  call.bad_target = bad.given_as<int32_t>();
  call.gradient_scale = scale;
  const auto compute = [&] { return bench_.ops().compute(bench_.self(), context.raw(), &call); };
  return side_->around(context, compute).at("compute");
}

}  // namespace plait
