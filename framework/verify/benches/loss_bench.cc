#include "verify/benches/loss_bench.h"

#include <fmt/format.h>

#include <optional>

#include "registry/loss_form.h"
#include "registry/shape_text.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
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
  LossQuestion question(made);
  CallContext context;
  trial.doing("check, " + made.text());
  return static_cast<bool>(
      context.call([&] { return trial.rules<plait_loss_rules>().check(context.raw(), question.raw()); }));
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

// As many predictions and targets as the type must have, all alike.
std::optional<LossCase> guessed_case(Trial& trial, const Example& one, const std::vector<int64_t>& shape,
                                     uint32_t dtype) {
  const LossForm form = loss_form(*trial.entry().type);
  const PartSpec prediction{"prediction", PLAIT_F32, shape, -1};
  for (const PartSpec& target : targets_for(prediction, dtype)) {
    LossCase made{one.config, std::vector<PartSpec>(form.least_predictions, prediction),
                  std::vector<PartSpec>(form.least_targets, target),
                  static_cast<uint32_t>(shape.back())};  // classes, along the last axis
    if (target.shape == prediction.shape && is_integer(target)) made.bound = 2;
    if (fits(trial, made)) return made;
  }
  return {};
}

// All that fits, each with another configuration and another shape than the one before.
std::vector<LossCase> guessed_cases(Trial& trial, const std::vector<Example>& configs, uint32_t dtype) {
  static const std::vector<std::vector<int64_t>> kLossShapes = {{3, 4}, {1, 5}, {2, 3, 5, 2}, {4, 1}, {2, 6, 3}};
  std::vector<LossCase> cases;
  const size_t steps =
      configs.size() % kLossShapes.size() == 0 ? configs.size() : SIZE_MAX;  // then pairs would repeat
  for (size_t n = 0; n < configs.size() * kLossShapes.size(); ++n) {
    const auto& shape = kLossShapes[(n + n / steps) % kLossShapes.size()];
    if (auto made = guessed_case(trial, configs[n % configs.size()], shape, dtype))
      cases.push_back(std::move(*made));
  }
  return cases;
}

uint32_t first_type_of(const LossCase& made) {
  return made.targets.empty() ? uint32_t{PLAIT_F32} : made.targets.front().dtype;
}

// An example's inputs: predictions, then targets. The predictions are floats, and the first ones.
std::optional<LossCase> example_case(Trial& trial, const Example& one) {
  const LossForm form = loss_form(*trial.entry().type);
  const size_t all = one.inputs.size();
  if (all < form.least_predictions + form.least_targets) return {};
  const size_t targets = std::min<size_t>(form.most_targets, all - form.least_predictions);
  if (all - targets > form.most_predictions) return {};
  const auto middle = one.inputs.begin() + static_cast<std::ptrdiff_t>(all - targets);
  return LossCase{
      one.config, {one.inputs.begin(), middle}, {middle, one.inputs.end()}, std::max(one.integer_bound, 1u)};
}

// Every second case, and one at least, of those that the implementation takes with weights.
void give_weights(Trial& trial, std::vector<LossCase>& cases) {
  if (!loss_form(*trial.entry().type).takes_weights) return;
  if (cases.size() == 1) cases.push_back(cases.front());
  for (size_t i = 1; i < cases.size(); i += 2) {
    cases[i].weighted = true;
    cases[i].weighted = is_supported(trial, cases[i]);
  }
}

}  // namespace

std::string LossCase::text() const {
  std::string text = config_text(*config);
  for (const PartSpec& one : predictions) text += ", prediction " + shape_text(one);
  for (const PartSpec& one : targets) text += ", target " + shape_text(one);
  return text + (weighted ? ", weights" : "");
}

bool is_integer(const PartSpec& spec) { return spec.dtype != PLAIT_F32 && spec.dtype != PLAIT_F64; }

LossQuestion::LossQuestion(const LossCase& made, bool training)
    : predictions_(made.predictions),
      targets_(made.targets),
      weights_{"weights", PLAIT_F32, {made.samples()}, -1},
      raw_weights_(weights_.raw()) {
  request_.struct_size = sizeof request_;
  request_.training = training;
  request_.config = made.config.get();
  request_.prediction = predictions_.data()[0];
  request_.target = targets_.size() > 0 ? targets_.data()[0] : nullptr;
  request_.n_predictions = predictions_.size();
  request_.n_targets = targets_.size();
  request_.predictions = predictions_.data();
  request_.targets = targets_.data();
  request_.weights = made.weighted ? &raw_weights_ : nullptr;
}

Result<std::vector<LossCase>> loss_cases(Trial& trial) {
  constexpr size_t kCases = 16;
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  std::vector<LossCase> cases;
  for (const Example& one : configs)
    if (auto made = example_case(trial, one)) cases.push_back(std::move(*made));
  uint32_t most_bound = 0;  // 0: no example says
  for (const LossCase& made : cases) most_bound = std::max(most_bound, made.bound);
  // Types of targets in turn: a loss may do something else for each of them. Whole numbers are those of
  // examples.
  std::vector<std::vector<LossCase>> by_type;
  for (const uint32_t dtype : kTargetTypes) {
    by_type.push_back(guessed_cases(trial, configs, dtype));
    for (LossCase& made : by_type.back())
      if (most_bound > 0) made.bound = std::min(made.bound, most_bound);
  }
  std::optional<uint32_t> first_type;
  if (!cases.empty()) first_type = first_type_of(cases.front());
  for (size_t n = 0; n < kCases; ++n) {
    for (const auto& guessed : by_type) {
      if (n >= guessed.size() || cases.size() >= kCases || !is_supported(trial, guessed[n])) continue;
      if (!first_type) first_type = first_type_of(guessed[n]);
      if (first_type_of(guessed[n]) == *first_type || computes(trial, guessed[n]))
        cases.push_back(guessed[n]);
    }
  }
  if (cases.empty())
    return skipped("no prediction and target found that the loss accepts; give an example (plait/verify.h)");
  give_weights(trial, cases);
  return cases;
}

Result<std::unique_ptr<LossBench>> LossBench::create(Trial& trial, const LossCase& made, bool training) {
  std::unique_ptr<LossBench> bench(new LossBench(trial, made));
  LossQuestion question(bench->made_, training);
  CallContext context;
  PLAIT_ASSIGN(const auto side, DeviceSide::create(bench->device_));
  side->serve(context);
  trial.doing("create, " + made.text());
  PLAIT_TRY(context.call([&] { return bench->ops_.create(context.raw(), question.raw(), &bench->self_); })
                .at("create, " + made.text()));
  bench->workspace_bytes_ = question.raw()->workspace_bytes;
  return bench;
}

namespace {

LossRun::Tensors tensors_of(const std::vector<PartSpec>& specs, Poison poison) {
  LossRun::Tensors tensors;
  for (const PartSpec& spec : specs) tensors.push_back(std::make_unique<SampleTensor>(spec, poison));
  return tensors;
}

// "prediction", or of several "prediction 1".
void name_all(const char* what, const LossRun::Tensors& tensors, std::vector<LossRun::Named>& into) {
  for (size_t i = 0; i < tensors.size(); ++i)
    into.push_back({tensors.size() == 1 ? what : fmt::format("{} {}", what, i), tensors[i].get()});
}

std::vector<const plait_tensor*> raw_of(const LossRun::Tensors& tensors) {
  std::vector<const plait_tensor*> raw;
  for (const auto& tensor : tensors) raw.push_back(tensor->raw());
  return raw;
}

}  // namespace

LossRun::LossRun(const LossBench& bench, Dice& dice, Poison poison)
    : predictions(tensors_of(bench.made().predictions, poison)),
      targets(tensors_of(bench.made().targets, poison)),
      gradients(tensors_of(bench.made().predictions, poison)),
      prediction(*predictions.front()),
      gradient(*gradients.front()),
      workspace(bench.workspace_bytes(), poison),
      result(2 * sizeof(double), poison),
      bad(sizeof(int32_t), poison),
      bench_(bench) {
  const LossCase& made = bench.made();
  if (made.weighted) {
    const PartSpec spec{"weights", PLAIT_F32, {made.samples()}, -1};
    weights = std::make_unique<SampleTensor>(spec, poison);
  }
  for (const auto& one : predictions) one->draw(dice, 0.05, 0.95, 2);  // fits probabilities and scores alike
  for (const auto& one : targets) {
    one->draw(dice, 0.05, 0.95, made.bound);
    if (one->spec().dtype == PLAIT_F32) share_out(*one);
  }
  if (weights) weights->draw(dice, 1, 3, 2);
}

void LossRun::draw(Dice& dice, double low, double high, bool with_targets) {
  for (const auto& one : predictions) one->draw(dice, low, high, 2);
  for (const auto& one : targets)
    if (with_targets && one->spec().dtype == PLAIT_F32) one->draw(dice, low, high, 2);
}

double LossRun::most_count() const {
  const auto samples = static_cast<uint64_t>(bench_.made().samples());
  double sum = 0;
  for (uint64_t n = 0; n < samples; ++n) sum += weight(n);
  return sum * static_cast<double>(prediction.elements()) / static_cast<double>(samples);
}

std::vector<LossRun::Named> LossRun::read() const {
  std::vector<Named> all;
  name_all("prediction", predictions, all);
  name_all("target", targets, all);
  if (weights) all.push_back({"weights", weights.get()});
  return all;
}

std::vector<LossRun::Named> LossRun::written() const {
  std::vector<Named> all;
  name_all("gradient", gradients, all);
  return all;
}

std::string LossRun::target_text() const {
  const PartSpec& spec = targets.front()->spec();
  if (is_integer(spec)) return fmt::format("0 .. {}", bench_.made().bound - 1);
  return spec.shape.back() == 1 ? "zeros" : "shares that sum to 1";
}

Status LossRun::lend() {
  PLAIT_ASSIGN(side_, DeviceSide::create(bench_.device()));
  side_->serve(context);
  for (const auto& list : {read(), written()})
    for (const Named& one : list) PLAIT_TRY(one.tensor->lend_to(*side_));
  for (Guarded* block : {&workspace, &result, &bad}) PLAIT_TRY(side_->lend(*block));
  raw_predictions_ = raw_of(predictions), raw_targets_ = raw_of(targets), raw_gradients_ = raw_of(gradients);
  return {};
}

plait_loss_call LossRun::call_of(bool with_gradient, double scale) {
  for (size_t i = 0; i < gradients.size(); ++i)
    raw_gradients_[i] = with_gradient ? gradients[i]->raw() : nullptr;
  plait_loss_call call{};
  call.struct_size = sizeof call;
  call.prediction = raw_predictions_.front();
  call.target = raw_targets_.empty() ? nullptr : raw_targets_.front();
  call.prediction_gradient = raw_gradients_.front();
  call.result = result.given_as<double>();
  call.workspace = workspace.given();
  call.bad_target = bad.given_as<int32_t>();
  call.gradient_scale = scale;
  call.n_predictions = static_cast<uint32_t>(raw_predictions_.size());
  call.n_targets = static_cast<uint32_t>(raw_targets_.size());
  call.predictions = raw_predictions_.data();
  call.targets = raw_targets_.data();
  call.prediction_gradients = raw_gradients_.data();
  call.weights = weights ? weights->raw() : nullptr;
  return call;
}

Status LossRun::compute(bool with_gradient, double scale) {
  if (side_ == nullptr) PLAIT_TRY(lend());
  const plait_loss_call call = call_of(with_gradient, scale);
  const auto compute = [&] { return bench_.ops().compute(bench_.self(), context.raw(), &call); };
  return side_->around(context, compute).at("compute");
}

}  // namespace plait::inline verify
