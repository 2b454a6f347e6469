#include "verify/benches/keyed_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "registry/shape_text.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr uint32_t kKinds[] = {PLAIT_VALUE_I64, PLAIT_VALUE_F64, PLAIT_VALUE_SUM, PLAIT_VALUE_BYTES};

using Parts = std::vector<PartSpec>;

const std::vector<Parts>& usual_parts() {
  static const std::vector<Parts> all = {
      {{"text", PLAIT_U8, {60}, 0}},
      {{"text", PLAIT_U8, {60}, 0}, {"label", PLAIT_I32, {}, -1}},
      {{"image", PLAIT_U8, {6, 5, 1}, -1}, {"label", PLAIT_U8, {}, -1}},
      {{"image", PLAIT_F32, {6, 5, 3}, -1}, {"label", PLAIT_I32, {}, -1}},
      {{"features", PLAIT_F32, {7}, -1}, {"label", PLAIT_F32, {1}, -1}},
      {{"label", PLAIT_I32, {}, -1}},
      {{"text", PLAIT_I32, {16}, 0}, {"label", PLAIT_I32, {}, -1}},
  };
  return all;
}

std::string shown(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 24))
    text += c >= ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  return '"' + text + (bytes.size() > 24 ? "...\"" : "\"");
}

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <class T>
T from_bytes(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

double draw_f64(Dice& dice, uint64_t round) {
  if (round == 0) return static_cast<double>(dice.below(2001)) - 1000;
  if (round == 1) return dice.between(-1, 1) * std::ldexp(1.0, static_cast<int>(dice.below(120)) - 60);
  static const std::vector<double> kEdges = {0.0,        -0.0,      1.0,   -1.0,   0x1p-1074,
                                             -0x1p-1074, 0x1p-1022, 1e300, -1e300, 0x1p53,
                                             -0x1p53,    0.1,       1e16,  -1e16,  1e-16};
  if (round == 2) return dice.pick(kEdges);
  return draw_f64(dice, dice.below(3));
}

int64_t draw_i64(Dice& dice, uint64_t round) {
  if (round == 0) return static_cast<int64_t>(dice.below(2001)) - 1000;
  if (round == 1) return static_cast<int64_t>(dice.bits()) >> (20 + dice.below(44));
  static const std::vector<int64_t> kEdges = {0,
                                              1,
                                              -1,
                                              255,
                                              256,
                                              65535,
                                              65536,
                                              -65536,
                                              INT32_MAX,
                                              INT32_MIN,
                                              int64_t{1} << 33,
                                              -(int64_t{1} << 33),
                                              int64_t{1} << 53};
  if (round == 2) return dice.pick(kEdges);
  return draw_i64(dice, dice.below(3));
}

// A sum of one number, as a combiner gives it.
plait_sum draw_sum(Dice& dice, uint64_t round) {
  plait_sum sum{};
  if (round == 2 && dice.coin()) return sum;
  sum.highest = 34 + static_cast<int32_t>(round == 0 ? 0 : dice.below(3));
  const auto bin = static_cast<int64_t>(1 + dice.below(UINT32_MAX));
  sum.bins[0] = dice.coin() ? bin : -bin;
  return sum;
}

std::string draw_bytes(Dice& dice, uint64_t round) {
  std::string bytes(round == 0 ? 1 + dice.below(3) : dice.below(round == 2 ? 2 : 300), '\0');
  for (char& c : bytes) c = static_cast<char>(round == 1 ? dice.bits() : 'a' + dice.below(3));
  return bytes;
}

// Words and white space, and in some records any bytes.
void draw_text(Dice& dice, std::vector<uint8_t>& bytes) {
  const bool any = dice.below(6) == 0;
  for (uint8_t& byte : bytes) {
    const char usual = " \n\t,.ab"[dice.below(7)];
    byte = static_cast<uint8_t>(any ? dice.bits() : dice.coin() ? usual : 'a' + dice.below(26));
  }
}

void draw_numbers(Dice& dice, const PartSpec& part, uint32_t bound, std::vector<uint8_t>& bytes) {
  const uint64_t each = dtype_bytes(part.dtype);
  for (uint64_t k = 0; k < bytes.size() / each; ++k) {
    const auto whole =
        static_cast<int64_t>(dice.below(part.dtype == PLAIT_U8 && bytes.size() > 1 ? 256 : bound));
    const double real = dice.unit();
    const auto put = [&](auto value) { std::memcpy(bytes.data() + k * each, &value, sizeof value); };
    if (part.dtype == PLAIT_F32) put(static_cast<float>(real));
    if (part.dtype == PLAIT_F64) put(real);
    if (part.dtype == PLAIT_I32) put(static_cast<int32_t>(whole));
    if (part.dtype == PLAIT_I64) put(whole);
    if (part.dtype == PLAIT_U8) put(static_cast<uint8_t>(whole));
  }
}

int32_t extent_of(const PartSpec& part) {
  return part.variable_axis < 0 ? 0
                                : static_cast<int32_t>(part.shape[static_cast<size_t>(part.variable_axis)]);
}

uint64_t part_bytes(const PartSpec& part) { return element_count(part.shape) * dtype_bytes(part.dtype); }

// What is used of a record's part; all, where the variable axis is not the first.
uint64_t used_bytes(const PartSpec& part, int32_t length) {
  const uint64_t all = part_bytes(part);
  if (part.variable_axis != 0) return all;
  return all / static_cast<uint64_t>(extent_of(part)) * static_cast<uint64_t>(length);
}

}  // namespace

std::string difference(const Pairs& some, const Pairs& others) {
  for (size_t i = 0; i < std::min(some.size(), others.size()); ++i)
    if (some[i] != others[i])
      return fmt::format("pair {} is {}: {}, but {}: {}", i, shown(some[i].key), shown(some[i].value),
                         shown(others[i].key), shown(others[i].value));
  if (some.size() == others.size()) return "";
  return fmt::format("there are {} pairs, but {}", some.size(), others.size());
}

PairRecorder::PairRecorder(uint64_t most, uint32_t value) : most_(most) {
  emitter_.struct_size = sizeof emitter_;
  emitter_.host_data = this;
  emitter_.emit = &PairRecorder::emit;
  emitter_.value = value;
}

int PairRecorder::emit(const plait_emitter* emitter, plait_str key, plait_str value) {
  auto& self = *static_cast<PairRecorder*>(emitter->host_data);
  if (self.pairs.size() >= self.most_) return ++self.refused, PLAIT_FAILED;
  self.pairs.push_back({std::string(key.data, key.size), std::string(value.data, value.size)});
  return PLAIT_OK;
}

MapRecorder::MapRecorder(const TaskForm& form, uint64_t most, Poison beyond) : pairs_(most, form.value) {
  if (!form.is_keyed()) arrays_ = std::make_unique<ArrayRecorder>(form, most, beyond);
}

void MapRecorder::put_into(plait_task_call& call) const {
  if (arrays_)
    arrays_->put_into(call);
  else
    call.out = pairs_.raw();
}

void MapRecorder::clear() {
  pairs_.clear();
  if (arrays_) arrays_->begin();
}

Pairs MapRecorder::pairs() const {
  if (!arrays_) return pairs_.pairs;
  Pairs pairs;
  for (size_t i = 0; i < arrays_->form().accumulators.size(); ++i)
    pairs.push_back({arrays_->form().accumulators[i].spec.name, std::string(arrays_->bytes(i))});
  return pairs;
}

ValueList::ValueList(const std::vector<std::string>& values, Poison beyond)
    : values_(values), beyond_(beyond) {
  c_.struct_size = sizeof c_;
  c_.host_data = this;
  c_.next = &ValueList::next;
}

int ValueList::next(const plait_values* values, plait_str* value) {
  auto& self = *static_cast<ValueList*>(values->host_data);
  if (self.at_ == self.values_.size()) {
    if (self.lent_ != nullptr) self.lent_->poison(self.beyond_);
    return 0;
  }
  const std::string& now = self.values_[self.at_++];
  // Values of one size lie where the one before lay.
  if (self.lent_ == nullptr || self.lent_->bytes() != now.size())
    self.lent_ = std::make_unique<Guarded>(now.size(), self.beyond_);
  self.lent_->write(now.data(), now.size());
  *value = {now.empty() ? "" : self.lent_->as<const char>(), now.size()};
  return 1;
}

std::vector<std::string> draw_values(Dice& dice, uint32_t kind, size_t count, uint64_t round) {
  std::vector<std::string> values;
  for (size_t i = 0; i < count; ++i) {
    if (kind == PLAIT_VALUE_I64) values.push_back(bytes_of(draw_i64(dice, round)));
    if (kind == PLAIT_VALUE_F64) values.push_back(bytes_of(draw_f64(dice, round)));
    if (kind == PLAIT_VALUE_SUM) values.push_back(bytes_of(draw_sum(dice, round)));
    if (kind == PLAIT_VALUE_BYTES) values.push_back(draw_bytes(dice, round));
  }
  return values;
}

std::string TaskBench::text() const {
  std::string text = config_text(*config);
  for (const PartSpec& part : parts) text += ", " + part_text(part);
  return text;
}

Result<TaskBench> create_task_bench(Trial& trial, const Example& one, const Parts& parts) {
  TaskBench bench;
  bench.config = one.config;
  bench.parts = parts;
  bench.bound = one.integer_bound > 0 ? one.integer_bound : 2;
  trial.doing("infer and create, " + bench.text());
  CallContext context;
  PLAIT_ASSIGN(bench.form, infer_task(trial.entry(), *one.config, parts, context));
  PLAIT_ASSIGN(bench.instance, create_task(trial.registry(), trial.entry(), *one.config, parts, context));
  return bench;
}

Result<TaskBench> make_task_bench(Trial& trial, const Example& one, const Parts& parts) {
  PLAIT_ASSIGN(TaskBench bench, create_task_bench(trial, one, parts));
  Status status;
  // Labels may have to be below the number of classes: 0 always is.
  for (; bench.bound > 0; bench.bound = bench.bound > 1 ? 1 : 0) {
    Dice dice(1, "records");
    const RecordContents records = draw_records(bench, dice, 20);
    RecordCall call(parts, records, 0, records.size());
    CallContext context;
    const MapRecorder out(bench.form);
    status = call.map(bench, context, out);
    if (!is_refusal(status)) return bench;  // what else is wrong is for the laws
  }
  return status;
}

Result<std::vector<TaskBench>> task_benches(Trial& trial, size_t count) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  std::vector<TaskBench> benches;
  std::string refusal;
  for (const Example& one : configs) {
    for (const Parts& parts : one.inputs.empty() ? usual_parts() : std::vector<Parts>{one.inputs}) {
      auto bench = make_task_bench(trial, one, parts);
      if (!bench && !is_refusal(bench.status())) return bench.status();
      if (!bench)
        refusal = bench.status().message();
      else
        benches.push_back(std::move(*bench));
    }
  }
  if (benches.empty())
    return skipped("no parts found that the task accepts (it last said: " + refusal +
                   "); give an example (plait/verify.h)");
  trial.remark(fmt::format("{} cases", benches.size()));
  return benches;
}

RecordContents draw_records(const TaskBench& bench, Dice& dice, size_t count) {
  RecordContents records(count);
  for (size_t i = 0; i < count; ++i) {
    for (const PartSpec& part : bench.parts) {
      RecordPart made{std::vector<uint8_t>(part_bytes(part)), 0};
      const bool is_text = part.dtype == PLAIT_U8 && part.variable_axis == 0;
      if (is_text)
        draw_text(dice, made.bytes);
      else
        draw_numbers(dice, part, bench.bound, made.bytes);
      // A full one, an empty one, then any.
      const auto most = static_cast<uint64_t>(extent_of(part));
      if (part.variable_axis >= 0)
        made.length = static_cast<int32_t>(i % 5 == 0 ? most : i % 5 == 1 ? 0 : dice.below(most + 1));
      records[i].push_back(std::move(made));
    }
  }
  return records;
}

RecordContents zero_records(const Parts& parts, size_t count) {
  RecordContents records(count);
  for (auto& record : records)
    for (const PartSpec& part : parts) record.push_back({std::vector<uint8_t>(part_bytes(part)), 0});
  return records;
}

RecordCall::RecordCall(const Parts& parts, const RecordContents& contents, size_t begin, size_t end,
                       Poison beyond)
    : first_(static_cast<int64_t>(begin)),
      count_(static_cast<int64_t>(end - begin)),
      total_(static_cast<int64_t>(contents.size())) {
  for (size_t p = 0; p < parts.size(); ++p) {
    const uint64_t each = part_bytes(parts[p]);
    auto part =
        std::make_unique<Part>(Part{parts[p],
                                    Guarded(each * (end - begin), beyond, Fence::kBehind),
                                    Guarded(parts[p].variable_axis < 0 ? 0 : 4 * (end - begin), beyond),
                                    {},
                                    {}});
    for (size_t i = begin; i < end; ++i) {
      const RecordPart& from = contents[i][p];
      std::memcpy(part->memory.as<uint8_t>() + each * (i - begin), from.bytes.data(),
                  used_bytes(parts[p], from.length));
      if (part->lengths.bytes() > 0) part->lengths.as<int32_t>()[i - begin] = from.length;
    }
    part->kept.assign(part->memory.as<uint8_t>(), part->memory.as<uint8_t>() + part->memory.bytes());
    part->spec.shape.insert(part->spec.shape.begin(), count_);
    if (part->spec.variable_axis >= 0) ++part->spec.variable_axis;
    plait_tensor& raw = part->raw;
    raw.struct_size = sizeof raw;
    raw.dtype = part->spec.dtype;
    raw.rank = static_cast<int32_t>(part->spec.shape.size());
    raw.variable_axis = part->spec.variable_axis;
    raw.data = part->memory.data();
    raw.shape = part->spec.shape.data();
    raw.name = part->spec.name.c_str();
    raw.lengths = part->lengths.as<int32_t>();
    pointers_.push_back(&raw);
    parts_.push_back(std::move(part));
  }
}

Status RecordCall::map(const TaskBench& bench, CallContext& context, const MapRecorder& out) {
  plait_task_call call{};
  call.struct_size = sizeof call;
  call.n_parts = static_cast<uint32_t>(pointers_.size());
  call.first = first_;
  call.count = count_;
  call.parts = pointers_.data();
  call.total = total_;
  out.put_into(call);
  return context.call([&] { return bench.ops().map(bench.instance.self(), context.raw(), &call); }).at("map");
}

std::string RecordCall::misdeed() const {
  for (const auto& part : parts_) {
    if (const auto text = part->memory.overrun(); !text.empty())
      return fmt::format("writes around part \"{}\": {}", part->spec.name, text);
    if (!part->kept.empty() && std::memcmp(part->memory.data(), part->kept.data(), part->kept.size()) != 0)
      return fmt::format("writes part \"{}\", which it is given to read", part->spec.name);
    if (const auto text = part->lengths.overrun(); !text.empty())
      return fmt::format("writes around the lengths of part \"{}\": {}", part->spec.name, text);
  }
  return "";
}

std::string CombinerBench::text() const {
  return fmt::format("{}, values of {}", config_text(*config), value_kind_name(in));
}

namespace {

Status check_folded(const CombinerBench& bench) {
  if (bench.out < PLAIT_VALUE_BYTES || bench.out > PLAIT_VALUE_SUM)
    return broken(fmt::format("infer says values of kind {}, which is none", bench.out));
  if (bench.bytes < 1 || bench.bytes > PLAIT_MAX_PARTIAL)
    return broken(
        fmt::format("infer says partials of {} bytes, wanted 1 .. {}", bench.bytes, PLAIT_MAX_PARTIAL));
  const uint32_t wanted = bench.out == PLAIT_VALUE_SUM ? sizeof(plait_sum) : 8;
  if (bench.out != PLAIT_VALUE_BYTES && bench.bytes != wanted)
    return broken(fmt::format("infer says partials of {} bytes, wanted {} for {}", bench.bytes, wanted,
                              value_kind_name(bench.out)));
  return {};
}

Result<CombinerBench> make_combiner_bench(Trial& trial, const Example& one, uint32_t in) {
  CombinerBench bench;
  bench.config = one.config;
  bench.in = in;
  trial.doing("infer and create, " + bench.text());
  CallContext context;
  const auto& rules = trial.rules<plait_combiner_rules>();
  PLAIT_TRY(
      context.call([&] { return rules.infer(context.raw(), one.config.get(), in, &bench.out, &bench.bytes); })
          .at("infer"));
  PLAIT_TRY(check_folded(bench).at(bench.text()));
  PLAIT_ASSIGN(bench.instance, create_combiner(trial.registry(), trial.entry(), *one.config, in, context));
  return bench;
}

Result<KeyReducerBench> make_key_reducer_bench(Trial& trial, const Example& one, uint32_t in) {
  KeyReducerBench bench;
  bench.config = one.config;
  bench.in = in;
  trial.doing("infer and create, " + bench.text());
  CallContext context;
  const auto& rules = trial.rules<plait_reducer_rules>();
  PLAIT_TRY(
      context.call([&] { return rules.infer(context.raw(), one.config.get(), in, &bench.out); }).at("infer"));
  if (bench.out < PLAIT_VALUE_BYTES || bench.out > PLAIT_VALUE_SUM)
    return broken(fmt::format("infer says values of kind {}, which is none", bench.out)).at(bench.text());
  PLAIT_ASSIGN(Instance made, create_instance(trial.registry(), trial.entry(), *one.config,
                                              trial.name().device_id, context));
  bench.instance = std::make_shared<Instance>(std::move(made));
  return bench;
}

// Of every kind of value and configuration that is accepted. What is broken, or fails in other than a
// refusal's words, ends it.
template <class Bench>
Result<std::vector<Bench>> benches_of_kinds(Trial& trial, size_t count,
                                            Result<Bench> (*make)(Trial&, const Example&, uint32_t)) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  std::vector<Bench> benches;
  std::string refusal;
  for (const Example& one : configs) {
    for (const uint32_t kind : kKinds) {
      auto bench = make(trial, one, kind);
      const bool answered = bench || bench.status().message().find("infer says") == std::string::npos;
      if (!bench && (!answered || !is_refusal(bench.status()))) return bench.status();
      if (!bench)
        refusal = bench.status().message();
      else
        benches.push_back(std::move(*bench));
    }
  }
  if (benches.empty()) return skipped("takes no kind of value (it last said: " + refusal + ")");
  trial.remark(fmt::format("{} cases", benches.size()));
  return benches;
}

}  // namespace

Result<std::vector<CombinerBench>> combiner_benches(Trial& trial, size_t count) {
  return benches_of_kinds<CombinerBench>(trial, count, make_combiner_bench);
}

Status Partial::begin(CallContext& context, const std::string& value) {
  const Guarded lent = [&] {
    Guarded memory(value.size(), Poison::kNumber);
    memory.write(value.data(), value.size());
    return memory;
  }();
  const plait_str given{value.empty() ? "" : lent.as<char>(), value.size()};
  return context
      .call([&] { return bench_.ops().begin(bench_.instance.self(), context.raw(), given, memory_.data()); })
      .at("begin");
}

Status Partial::fold(CallContext& context, const Partial& from) {
  return context
      .call([&] {
        return bench_.ops().fold(bench_.instance.self(), context.raw(), memory_.data(), from.memory_.data());
      })
      .at("fold");
}

bool reduces_keys(const plait_reducer_ops& ops) {
  const plait_reducer_ops* table = &ops;
  return PLAIT_HAS(table, reduce);
}

std::string KeyReducerBench::text() const {
  return fmt::format("{}, values of {}", config_text(*config), value_kind_name(in));
}

Status KeyReducerBench::reduce(CallContext& context, std::string_view key, const ValueList& values,
                               const PairRecorder& out_pairs) const {
  return context
      .call([&] {
        return ops().reduce(instance->self(), context.raw(), in, {key.data(), key.size()}, values.raw(),
                            out_pairs.raw());
      })
      .at("reduce");
}

Result<std::vector<KeyReducerBench>> key_reducer_benches(Trial& trial, size_t count) {
  return benches_of_kinds<KeyReducerBench>(trial, count, make_key_reducer_bench);
}

}  // namespace plait::inline verify
