#include "verify/benches/array_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random_keys.h"
#include "registry/shape_text.h"

namespace plait::inline verify {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr uint64_t kRandom_key = 0x1D2C3B4A59687786u;  // any

template <class V>
void fill(Guarded& memory, V value) {
  std::fill_n(memory.as<V>(), memory.bytes() / sizeof(V), value);
}

// As the rule has it for no record.
void begin_by_rule(Guarded& memory, uint32_t rule) {
  if (rule == PLAIT_ACCUMULATE_COUNT) return fill<int64_t>(memory, 0);
  if (rule == PLAIT_ACCUMULATE_MINIMUM) return fill(memory, kInfinity);
  fill(memory, rule == PLAIT_ACCUMULATE_MAXIMUM ? -kInfinity : 0.0);
}

std::string first_difference(const std::vector<PartSpec>& specs, const char* sort,
                             const std::vector<std::string>& some, const std::vector<std::string>& others) {
  for (size_t i = 0; i < specs.size(); ++i)
    if (some[i] != others[i]) return fmt::format("{} \"{}\"", sort, specs[i].name);
  return "";
}

void write_states(GuardedTensors& tensors, const std::vector<std::string>& states) {
  for (size_t i = 0; i < states.size(); ++i) tensors.memory(i).write(states[i].data(), states[i].size());
}

}  // namespace

// ---- tensors

void GuardedTensors::push(const PartSpec& spec, std::vector<int64_t> shape, uint64_t bytes, Poison beyond) {
  auto one = std::make_unique<One>(One{spec.name, std::move(shape), Guarded(bytes, beyond), {}, {}});
  plait_tensor& raw = one->raw;
  raw.struct_size = sizeof raw;
  raw.dtype = spec.dtype;
  raw.rank = static_cast<int32_t>(one->shape.size());
  raw.variable_axis = -1;
  raw.shape = one->shape.data();
  raw.name = one->name.c_str();
  raw.data = one->memory.data();
  pointers_.push_back(&raw);
  all_.push_back(std::move(one));
}

void GuardedTensors::add(const PartSpec& spec, Poison beyond, int64_t rows) {
  std::vector<int64_t> shape = spec.shape;
  if (rows >= 0) shape.insert(shape.begin(), rows);
  const uint64_t bytes = element_count(shape) * dtype_bytes(spec.dtype);
  push(spec, std::move(shape), bytes, beyond);
}

void GuardedTensors::add_without_data(const PartSpec& spec) { push(spec, spec.shape, 0, Poison::kNan); }

std::string_view GuardedTensors::bytes(size_t place) const {
  const Guarded& memory = all_[place]->memory;
  return {memory.as<char>(), memory.bytes()};
}

void GuardedTensors::clear() {
  for (const auto& one : all_) fill<uint8_t>(one->memory, 0);
}

void GuardedTensors::keep() {
  for (size_t i = 0; i < all_.size(); ++i) all_[i]->kept = bytes(i);
}

std::string GuardedTensors::changed() const {
  for (size_t i = 0; i < all_.size(); ++i)
    if (bytes(i) != all_[i]->kept) return fmt::format("{} \"{}\"", sort_, all_[i]->name);
  return "";
}

std::string GuardedTensors::overrun() const {
  for (const auto& one : all_)
    if (const auto text = one->memory.overrun(); !text.empty())
      return fmt::format("{} \"{}\": {}", sort_, one->name, text);
  return "";
}

// ---- a split

ArrayRecorder::ArrayRecorder(const TaskForm& form, uint64_t most, Poison beyond)
    : form_(form), most_(most), rows_(form.accumulators.size()) {
  taker_ = {sizeof taker_, 0, this, append};
  for (const auto& [rule, spec] : form_.accumulators) {
    if (rule == PLAIT_ACCUMULATE_ROWS)
      arrays_.add_without_data(spec);
    else
      arrays_.add(spec, beyond);
  }
  for (const PartSpec& state : form_.states) states_.add(state, beyond);
  begin();
}

void ArrayRecorder::begin() { begin(0, zero_states(form_)); }

void ArrayRecorder::begin(int64_t pass, const std::vector<std::string>& states) {
  pass_ = pass;
  appended_ = refused_ = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    rows_[i].clear();
    begin_by_rule(arrays_.memory(i), form_.accumulators[i].rule);
  }
  write_states(states_, states);
  states_.keep();
}

void ArrayRecorder::put_into(plait_task_call& call) const {
  call.pass = pass_;
  call.n_accumulators = arrays_.count();
  call.n_states = states_.count();
  call.accumulators = arrays_.raw();
  call.states = states_.raw();
  call.rows = &taker_;
  call.rng = {kRandom_key, random_counter(pass_, 0)};
}

int ArrayRecorder::append(const plait_row_taker* taker, uint32_t accumulator, int64_t count,
                          const void* rows) {
  auto& self = *static_cast<ArrayRecorder*>(taker->host_data);
  const auto& all = self.form_.accumulators;
  const bool is_wrong = accumulator >= all.size() || all[accumulator].rule != PLAIT_ACCUMULATE_ROWS ||
                        count < 0 || (rows == nullptr && count > 0);
  if (is_wrong || self.appended_ >= self.most_) return ++self.refused_, PLAIT_FAILED;
  ++self.appended_;
  self.rows_[accumulator].append(static_cast<const char*>(rows),
                                 byte_count(all[accumulator].spec) * static_cast<uint64_t>(count));
  return PLAIT_OK;
}

std::string_view ArrayRecorder::bytes(size_t accumulator) const {
  if (form_.accumulators[accumulator].rule == PLAIT_ACCUMULATE_ROWS) return rows_[accumulator];
  return arrays_.bytes(accumulator);
}

std::string ArrayRecorder::fault() const {
  for (size_t i = 0; i < form_.accumulators.size(); ++i) {
    const auto& [rule, spec] = form_.accumulators[i];
    if (rule == PLAIT_ACCUMULATE_COUNT || rule == PLAIT_ACCUMULATE_ROWS) continue;
    const bool is_extreme = rule == PLAIT_ACCUMULATE_MINIMUM || rule == PLAIT_ACCUMULATE_MAXIMUM;
    const std::string_view content = bytes(i);
    for (size_t e = 0; e < content.size() / sizeof(double); ++e) {
      double value;
      std::memcpy(&value, content.data() + e * sizeof value, sizeof value);
      if (std::isnan(value) || (std::isinf(value) && !is_extreme))
        return fmt::format("element {} of accumulator \"{}\" became {}", e, spec.name, value);
    }
  }
  return "";
}

std::string ArrayRecorder::misdeed() const {
  for (const GuardedTensors* tensors : {&arrays_, &states_})
    if (const auto text = tensors->overrun(); !text.empty()) return "writes around " + text;
  if (const auto what = states_.changed(); !what.empty())
    return fmt::format("map writes {}, which it is given to read", what);
  return "";
}

std::vector<Guarded*> ArrayRecorder::memory() {
  std::vector<Guarded*> all;
  for (size_t i = 0; i < arrays_.count(); ++i) all.push_back(&arrays_.memory(i));
  for (size_t i = 0; i < states_.count(); ++i) all.push_back(&states_.memory(i));
  return all;
}

// ---- the end of a pass

bool has_finish(const Instance& task) { return PLAIT_HAS(task.ops<plait_task_ops>(), finish); }

std::vector<std::string> zero_states(const TaskForm& form) {
  std::vector<std::string> states;
  for (const PartSpec& state : form.states) states.emplace_back(byte_count(state), '\0');
  return states;
}

std::string difference(const TaskForm& form, const PassEnd& some, const PassEnd& others) {
  if (some.another != others.another) return "whether another pass is wanted";
  if (auto what = first_difference(form.states, "state", some.states, others.states); !what.empty())
    return what;
  return first_difference(form.declared_outputs, "output", some.outputs, others.outputs);
}

namespace {

GuardedTensors whole(const ArrayRecorder& of, int64_t records, Poison beyond) {
  GuardedTensors tensors("accumulator");
  const auto& accumulators = of.form().accumulators;
  for (size_t i = 0; i < accumulators.size(); ++i) {
    const auto& [rule, spec] = accumulators[i];
    const std::string_view bytes = of.bytes(i);
    const auto rows = static_cast<int64_t>(bytes.size() / std::max<uint64_t>(1, byte_count(spec)));
    tensors.add(spec, beyond, rule == PLAIT_ACCUMULATE_ROWS ? rows : -1);
    Guarded& memory = tensors.memory(i);
    memory.write(bytes.data(), bytes.size());
    if (rule != PLAIT_ACCUMULATE_MEAN || records == 0) continue;
    for (size_t e = 0; e < bytes.size() / sizeof(double); ++e)
      memory.as<double>()[e] /= static_cast<double>(records);
  }
  tensors.keep();
  return tensors;
}

std::vector<std::string> contents(const GuardedTensors& tensors) {
  std::vector<std::string> all;
  for (size_t i = 0; i < tensors.count(); ++i) all.emplace_back(tensors.bytes(i));
  return all;
}

}  // namespace

Result<PassEnd> finish_pass(const Instance& task, CallContext& context, const ArrayRecorder& of, int64_t pass,
                            const std::vector<std::string>& states, int64_t records, Poison beyond) {
  const GuardedTensors accumulators = whole(of, records, beyond);
  GuardedTensors left("state"), outputs("output");
  for (const PartSpec& spec : of.form().states) left.add(spec, beyond);
  for (const PartSpec& spec : of.form().declared_outputs) outputs.add(spec, beyond);
  write_states(left, states);
  outputs.clear();
  plait_task_finish call{};
  call.struct_size = sizeof call;
  call.n_accumulators = accumulators.count();
  call.n_states = left.count();
  call.n_outputs = outputs.count();
  call.records = records;
  call.pass = pass;
  call.accumulators = accumulators.raw();
  call.states = left.raw();
  call.outputs = outputs.raw();
  call.rng = {kRandom_key, random_counter(pass, 1)};
  const auto* ops = task.ops<plait_task_ops>();
  PLAIT_TRY(context.call([&] { return ops->finish(task.self(), context.raw(), &call); }).at("finish"));
  PassEnd end{contents(left), contents(outputs), call.another != 0, {}};
  if (const auto what = accumulators.changed(); !what.empty())
    end.misdeed = fmt::format("finish writes {}, which it is given to read", what);
  for (const GuardedTensors* tensors : {&accumulators, static_cast<const GuardedTensors*>(&left),
                                        static_cast<const GuardedTensors*>(&outputs)})
    if (const auto text = tensors->overrun(); !text.empty()) end.misdeed = "finish writes around " + text;
  return end;
}

}  // namespace plait::inline verify
