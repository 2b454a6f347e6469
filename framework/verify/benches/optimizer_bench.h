// Optimizers at work: an instance, and the weights, slots and gradients of one tensor.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"

namespace plait::inline verify {

constexpr uint64_t kOptimizerCount = 37;  // odd: no vector length divides it

struct OptimizerSlot {
  std::string name;
  double initial;
};

// An instance, and the slots that it wants. Threads: create [setup only]; the rest [any].
class OptimizerBench {
 public:
  static Result<std::unique_ptr<OptimizerBench>> create(Trial& trial, const plait_config& config) {
    std::unique_ptr<OptimizerBench> bench(new OptimizerBench);
    bench->text_ = config_text(config);
    trial.doing("create, " + bench->text_);
    bench->device_ = trial.device();
    PLAIT_ASSIGN(const auto side, DeviceSide::create(bench->device_));
    CallContext context;
    side->serve(context);
    PLAIT_ASSIGN(bench->instance_,
                 create_instance(trial.registry(), trial.entry(), config, trial.name().device_id, context));
    bench->rules_ = &trial.rules<plait_optimizer_rules>();
    PLAIT_TRY(bench->describe());
    bench->read_runtime(config);
    return bench;
  }
  const std::string& text() const { return text_; }
  const std::vector<OptimizerSlot>& slots() const { return slots_; }
  uint32_t flags() const { return rules_->flags; }
  bool is_elementwise() const { return (flags() & PLAIT_OPTIMIZER_ELEMENTWISE) != 0; }
  bool is_plain() const { return (flags() & PLAIT_OPTIMIZER_PLAIN) != 0; }
  bool moves() const { return PLAIT_HAS(&ops(), move); }
  const plait_optimizer_ops& ops() const { return *instance_.ops<plait_optimizer_ops>(); }
  const void* self() const { return instance_.self(); }
  const double* runtime() const { return runtime_.data(); }
  Device* device() const { return device_; }
  const Instance& instance() const { return instance_; }

 private:
  Status describe() {
    plait_optimizer_builder builder{};
    builder.struct_size = sizeof builder;
    builder.host_data = this;
    builder.slot = [](const plait_optimizer_builder* b, const plait_slot_spec* spec) {
      static_cast<OptimizerBench*>(b->host_data)
          ->slots_.push_back({spec->name ? spec->name : "", spec->initial});
      return int{PLAIT_OK};
    };
    CallContext context;
    return context.call([&] { return rules_->describe(context.raw(), &instance_.config(), &builder); })
        .at("describe");
  }
  void read_runtime(const plait_config& config) {
    for (const ConfigField& field : config.fields) {
      if (!(field.field->flags & PLAIT_FIELD_RUNTIME)) continue;
      double value = 0;
      if (!field.values.empty()) {
        if (const auto* number = std::get_if<double>(&field.values[0])) value = *number;
        if (const auto* integer = std::get_if<int64_t>(&field.values[0]))
          value = static_cast<double>(*integer);
      }
      runtime_.push_back(value);
    }
  }
  OptimizerBench() = default;
  Device* device_ = nullptr;
  Instance instance_;
  const plait_optimizer_rules* rules_ = nullptr;
  std::string text_;
  std::vector<OptimizerSlot> slots_;
  std::vector<double> runtime_;
};

// Weights and slots of one tensor. Threads: [one at a time]
class OptimizerRun {
 public:
  // What calls say of the tensor: by default a parameter of rank 1 whose elements are all there.
  std::string name = "layer.weight";  // "": elements of several parameters
  std::vector<int64_t> shape;
  // Of the weights `first`, those from `begin` to before `end`.
  OptimizerRun(const OptimizerBench& bench, const std::vector<float>& first, uint64_t begin = 0,
               uint64_t end = kOptimizerCount)
      : weights((end - begin) * 4, Poison::kNan), gradients((end - begin) * 4, Poison::kNan), bench_(bench) {
    weights.write(first.data() + begin, weights.bytes());
    shape = {static_cast<int64_t>(count())};
    for (const OptimizerSlot& slot : bench.slots()) {
      slots.emplace_back(weights.bytes(), Poison::kNan);
      for (uint64_t k = 0; k < end - begin; ++k)
        slots.back().as<float>()[k] = static_cast<float>(slot.initial);
    }
  }
  uint64_t count() const { return weights.bytes() / 4; }

  Status step(const float* gradient, int64_t number, double observed) {
    if (gradient != gradients.as<float>()) gradients.write(gradient, gradients.bytes());
    if (side_ == nullptr) PLAIT_TRY(lend());
    const plait_optimizer_call call = make_call(number, observed);
    const auto step = [&] { return bench_.ops().step(bench_.self(), context.raw(), &call); };
    return side_->around(context, step).at("step");
  }
  Status move(const float* gradient, int64_t number, double observed) {
    if (gradient != gradients.as<float>()) gradients.write(gradient, gradients.bytes());
    if (side_ == nullptr) PLAIT_TRY(lend());
    plait_optimizer_call call = make_call(number, observed);
    call.is_second = 0;
    const auto move = [&] { return bench_.ops().move(bench_.self(), context.raw(), &call); };
    return side_->around(context, move).at("move");
  }
  Result<double> observe(const float* gradient, int64_t number) {
    const plait_optimizer_ops* ops = &bench_.ops();
    if (!PLAIT_HAS(ops, observe)) return 0.0;
    if (gradient != gradients.as<float>()) gradients.write(gradient, gradients.bytes());
    if (side_ == nullptr) PLAIT_TRY(lend());
    const plait_optimizer_call call = make_call(number, 0);
    double sum = 0;
    const auto observing = [&] { return ops->observe(bench_.self(), context.raw(), &call, &sum); };
    PLAIT_TRY(side_->around(context, observing).at("observe"));
    return sum;
  }
  std::string difference(const OptimizerRun& other) const {
    if (!weights.same_bits(other.weights)) return "weights";
    for (size_t i = 0; i < slots.size(); ++i)
      if (!slots[i].same_bits(other.slots[i])) return "slot \"" + bench_.slots()[i].name + "\"";
    return "";
  }
  std::string overrun() const {
    if (const auto text = weights.overrun(); !text.empty()) return "weights: " + text;
    if (const auto text = gradients.overrun(); !text.empty()) return "gradients: " + text;
    for (size_t i = 0; i < slots.size(); ++i)
      if (const auto text = slots[i].overrun(); !text.empty())
        return "slot \"" + bench_.slots()[i].name + "\": " + text;
    return "";
  }

  Guarded weights, gradients;
  std::vector<Guarded> slots;
  CallContext context;

 private:
  Status lend() {
    PLAIT_ASSIGN(side_, DeviceSide::create(bench_.device()));
    side_->serve(context);
    for (Guarded* block : {&weights, &gradients}) PLAIT_TRY(side_->lend(*block));
    for (Guarded& slot : slots) {
      PLAIT_TRY(side_->lend(slot));
      pointers_.push_back(slot.given_as<float>());
    }
    return {};
  }
  plait_optimizer_call make_call(int64_t number, double observed) {
    plait_optimizer_call call{};
    call.struct_size = sizeof call;
    call.count = count();
    call.weights = weights.given_as<float>();
    call.gradients = gradients.given_as<float>();
    call.slots = pointers_.data();
    call.step = call.updates = number;
    call.runtime = bench_.runtime();
    call.observed = observed;
    call.loss = 0.5 + 0.25 * static_cast<double>(number % 3);  // what one keeps of it has to be in a slot
    call.is_second = bench_.moves() ? 1 : 0;                   // what step has then
    if (name.empty()) return call;
    call.name = name.c_str();
    call.shape = shape.data();
    call.rank = static_cast<int32_t>(shape.size());
    call.is_plain = 1;
    return call;
  }
  const OptimizerBench& bench_;
  std::unique_ptr<DeviceSide> side_;  // from the first call
  std::vector<float*> pointers_;
};

}  // namespace plait::inline verify
