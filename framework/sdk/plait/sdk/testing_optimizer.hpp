// An optimizer on the test host, with weights, gradients and slots of one tensor. See testing.hpp.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "testing.hpp"

namespace plait::sdk::testing {

class OptimizerTest {
 public:
  TestTensor weights, gradients;  // random at first
  std::deque<TestTensor> slots;
  std::vector<plait_slot_spec> slot_specs;
  std::vector<double> runtime;  // values of the runtime fields, in field order
  uint32_t flags = 0;
  int64_t next_step = 0;
  // What calls say of the parameter and of the step.
  std::string name = "layer.weight";
  std::vector<int64_t> shape;  // at first [count]
  double observed = 0, loss = std::numeric_limits<double>::quiet_NaN();
  bool is_second = false;

  OptimizerTest(TestHost& host, const Entry& entry, Settings settings, size_t count,
                std::vector<double> runtime_values)
      : weights("w", DType::f32, {static_cast<int64_t>(count)}),
        gradients("g", DType::f32, {static_cast<int64_t>(count)}),
        runtime(std::move(runtime_values)),
        shape{static_cast<int64_t>(count)},
        host_(host),
        ops_(*static_cast<const plait_optimizer_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    plait_optimizer_builder builder{};
    builder.struct_size = sizeof builder;
    builder.host_data = this;
    builder.slot = [](const plait_optimizer_builder* b, const plait_slot_spec* spec) {
      static_cast<OptimizerTest*>(b->host_data)->slot_specs.push_back(*spec);
      return int{PLAIT_OK};
    };
    const auto& rules = *static_cast<const plait_optimizer_rules*>(entry.type.rules);
    host_.check(rules.describe(host_.context(), settings_.c(), &builder));
    host_.check(ops_.create(host_.context(), settings_.c(), &self_));
    for (const plait_slot_spec& spec : slot_specs) {
      const Out values = slots.emplace_back(weights.spec()).f32();
      std::fill(values.begin(), values.end(), static_cast<float>(spec.initial));
    }
    weights.randomize(1);
    gradients.randomize(2);
  }
  ~OptimizerTest() {
    if (self_) ops_.destroy(self_);
  }
  OptimizerTest(const OptimizerTest&) = delete;
  OptimizerTest& operator=(const OptimizerTest&) = delete;

  void step() {
    const Memory memory = slot_memory();
    const plait_optimizer_call call = make_call(memory);
    host_.check(ops_.step(self_, host_.context(), &call));
    check_ends();
    ++next_step;
  }
  // This tensor's share, which the next step does not find in `observed` by itself.
  double observe() {
    const Memory memory = slot_memory();
    const plait_optimizer_call call = make_call(memory);
    double sum = 0;
    host_.check(ops_.observe(self_, host_.context(), &call, &sum));
    return sum;
  }
  void move() {
    const Memory memory = slot_memory();
    const plait_optimizer_call call = make_call(memory);
    host_.check(ops_.move(self_, host_.context(), &call));
    check_ends();
  }

  // The law of optimizers: w = 0, g = 0 and new slots give w = 0, here over three steps.
  bool keeps_zeros() {
    std::fill(weights.f32().begin(), weights.f32().end(), 0.0f);
    std::fill(gradients.f32().begin(), gradients.f32().end(), 0.0f);
    for (int i = 0; i < 3; ++i) step();
    return std::all_of(weights.f32().begin(), weights.f32().end(), [](float w) { return w == 0; });
  }
  // Along a path that any program can go: weight i begins as 1 - 1.5 i, and its gradient at step t = 0, 1,
  // ... is
  // ((7 t + 5 i) mod 11 - 5) / 4. rows[t]: the weights wanted after step t, all of them. Returns their
  // largest distance in units of what f32 explains: in each step two roundings of the weight and ten of what
  // it moves by, 2^-24 each. NaN where a weight is.
  double path_error(const std::vector<std::vector<double>>& rows) {
    begin_path();
    std::vector<double> before(weights.f32().begin(), weights.f32().end());
    double bound = 0, largest = 0;
    for (size_t t = 0; t < rows.size(); ++t) {
      if (rows[t].size() != before.size()) throw std::runtime_error("a row has not a number for each weight");
      double size = 0, moved = 0;
      for (size_t i = 0; i < before.size(); ++i) {
        size = std::max(size, std::abs(rows[t][i])),
        moved = std::max(moved, std::abs(rows[t][i] - before[i]));
        gradients.f32()[i] = (static_cast<float>((7 * t + 5 * i) % 11) - 5) / 4;
      }
      bound += (2 * size + 10 * moved) * 0x1p-24;
      step();
      for (size_t i = 0; i < before.size(); ++i) {
        const double error = std::abs(weights.f32()[i] - rows[t][i]) / bound;
        if (!(error <= largest)) largest = error;
      }
      before = rows[t];
    }
    return largest;
  }
  bool same_bits(const OptimizerTest& other) const {
    bool same = same_bits(weights, other.weights) && slots.size() == other.slots.size();
    for (size_t i = 0; same && i < slots.size(); ++i) same = same_bits(slots[i], other.slots[i]);
    return same;
  }

 private:
  using Memory = std::vector<float*>;
  void begin_path() {
    const Out w = weights.f32();
    for (size_t i = 0; i < w.size(); ++i) w[i] = 1 - 1.5f * static_cast<float>(i);
  }
  Memory slot_memory() {
    Memory memory;
    for (const TestTensor& slot : slots) memory.push_back(slot.f32().data());
    return memory;
  }
  plait_optimizer_call make_call(const Memory& memory) {
    plait_optimizer_call call{};
    call.struct_size = sizeof call;
    call.flags = flags;
    call.count = weights.spec().size();
    call.weights = weights.f32().data();
    call.gradients = gradients.f32().data();
    call.slots = memory.data();
    call.step = call.updates = next_step;
    call.runtime = runtime.data();
    call.observed = observed;
    call.name = name.c_str();
    call.shape = shape.data();
    call.rank = static_cast<int32_t>(shape.size());
    call.is_plain = 1;
    call.loss = loss;
    call.is_second = is_second ? 1 : 0;
    return call;
  }
  void check_ends() const {
    bool intact = weights.intact();
    for (const TestTensor& slot : slots) intact = intact && slot.intact();
    if (!intact) throw std::runtime_error("wrote past the end of its memory");
  }
  static bool same_bits(const TestTensor& a, const TestTensor& b) {
    return a.spec().bytes() == b.spec().bytes() &&
           std::memcmp(a.view().raw(), b.view().raw(), a.spec().bytes()) == 0;
  }

  TestHost& host_;
  const plait_optimizer_ops& ops_;
  Settings settings_;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
