#include "verify/benches/sink_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "registry/shape_text.h"
#include "verify/benches/worker.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr uint32_t kDtypes[] = {PLAIT_F32, PLAIT_F64, PLAIT_F16, PLAIT_BF16, PLAIT_U8, PLAIT_I32, PLAIT_I64};

// Of a number of floating point, the bits of its exponent: all of them set, it is none.
uint64_t exponent_mask(uint32_t dtype) {
  if (dtype == PLAIT_F32) return 0x7F800000u;
  if (dtype == PLAIT_F64) return 0x7FF0000000000000u;
  if (dtype == PLAIT_F16) return 0x7C00u;
  if (dtype == PLAIT_BF16) return 0x7F80u;
  return 0;
}

// No infinity and no NaN; one in eight a denormal, as small results are, and which the mode that plugins are
// called in takes for 0.
uint64_t draw_number(Dice& dice, uint32_t dtype) {
  const uint64_t mask = exponent_mask(dtype);
  uint64_t bits = dice.bits();
  while (mask != 0 && (bits & mask) == mask) bits = dice.bits();
  return mask != 0 && dice.below(8) == 0 ? bits & ~mask : bits;
}

// plait_pairs over a list: each pair is lent from guarded memory of its own size, of which `beyond` is left
// when the next is asked for.
class PairLender {
 public:
  PairLender(uint32_t value, const Pairs& pairs, Poison beyond) : pairs_(pairs), beyond_(beyond) {
    c_.struct_size = sizeof c_;
    c_.value = value;
    c_.host_data = this;
    c_.next = [](const plait_pairs* asked, plait_str* key, plait_str* of_it) {
      return static_cast<PairLender*>(asked->host_data)->next(*key, *of_it);
    };
  }
  PairLender(const PairLender&) = delete;
  PairLender& operator=(const PairLender&) = delete;
  const plait_pairs* raw() const { return &c_; }

 private:
  int next(plait_str& key, plait_str& value) {
    for (Guarded* lent : {key_.get(), value_.get()})
      if (lent != nullptr) lent->poison(beyond_);
    if (at_ == pairs_.size()) return 0;
    key = lend(key_, pairs_[at_].key);
    value = lend(value_, pairs_[at_++].value);
    return 1;
  }
  // Blocks of the size before are lent again: making one for each pair would be most of the time.
  plait_str lend(std::unique_ptr<Guarded>& block, const std::string& bytes) const {
    if (block == nullptr || block->bytes() != bytes.size())
      block = std::make_unique<Guarded>(bytes.size(), beyond_);
    block->write(bytes.data(), bytes.size());
    return {block->as<char>(), bytes.size()};
  }

  const Pairs& pairs_;
  const Poison beyond_;
  std::unique_ptr<Guarded> key_, value_;
  size_t at_ = 0;
  plait_pairs c_{};
};

Status as_broken(const Status& outcome) {
  return outcome.code() == Code::kPlugin && !is_silent(outcome) ? broken(outcome.message()) : outcome;
}

Result<bool> answered(const Status& said) {
  if (said) return true;
  if (is_refusal(said) && !is_silent(said)) return false;
  return said;
}

// Arrays and pairs of one call, whichever the sink writes. The file is kept as one number.
class SinkWorker final : public Worker {
 public:
  SinkWorker(SinkBench bench, FilledArrays arrays, uint32_t value, Pairs pairs)
      : bench_(std::move(bench)), arrays_(std::move(arrays)), value_(value), pairs_(std::move(pairs)) {
    for (const FilledArray& array : arrays_) {
      auto& memory =
          memory_.emplace_back(std::make_unique<Guarded>(array.bytes.size(), Poison::kNan, Fence::kBehind));
      memory->write(array.bytes.data(), array.bytes.size());
      own(fmt::format("array \"{}\"", array.spec.spec.name), *memory, array.spec.spec.dtype, Role::kRead);
      specs_.push_back(array.spec);
      data_.push_back(memory->data());
    }
    own("file", result_, PLAIT_I64, Role::kWritten);
  }
  std::string text() const override {
    return bench_.text() + (arrays_.empty() ? ", pairs" : ", " + arrays_text(arrays_));
  }
  CallContext& context() override { return context_; }

 private:
  Status calls() override {
    uint64_t number = 1;
    const ByteTaker taker([&](std::string_view bytes) {
      for (const char c : bytes) number = number * 31 + static_cast<uint8_t>(c);
      return Status();
    });
    const RawSinkArrays raw(specs_, data_);
    PairLender lender(value_, pairs_, Poison::kNan);
    const Status called = context_.call([&] {
      const plait_sink_ops& ops = bench_.ops();
      void* self = bench_.instance->self();
      if (arrays_.empty()) return ops.write_pairs(self, context_.raw(), lender.raw(), taker.raw());
      return ops.write_arrays(self, context_.raw(), raw.size(), raw.data(), taker.raw());
    });
    PLAIT_TRY(taker.outcome(called));
    *result_.as<uint64_t>() = number;
    return {};
  }

  SinkBench bench_;
  FilledArrays arrays_;
  uint32_t value_;
  Pairs pairs_;
  std::vector<std::unique_ptr<Guarded>> memory_;
  std::vector<SinkArraySpec> specs_;
  std::vector<const void*> data_;
  Guarded result_{sizeof(uint64_t), Poison::kNan};
  CallContext context_;
};

}  // namespace

std::string arrays_text(const FilledArrays& arrays) {
  std::string text;
  for (const FilledArray& array : arrays)
    text += (text.empty() ? "" : ", ") + part_text(array.spec.spec) +
            (array.spec.columns.empty() ? "" : " with names of columns");
  return text;
}

FilledArrays draw_arrays(Dice& dice, const std::vector<SinkArraySpec>& specs) {
  FilledArrays arrays;
  for (const SinkArraySpec& spec : specs) {
    FilledArray& array = arrays.emplace_back(FilledArray{spec, ""});
    const size_t bytes = dtype_bytes(spec.spec.dtype);
    array.bytes.resize(byte_count(spec.spec));
    for (size_t at = 0; at < array.bytes.size(); at += bytes) {
      const uint64_t bits = draw_number(dice, spec.spec.dtype);
      std::memcpy(array.bytes.data() + at, &bits, bytes);
    }
  }
  return arrays;
}

std::vector<std::vector<SinkArraySpec>> usual_arrays() {
  using Shape = std::vector<int64_t>;
  std::vector<std::vector<SinkArraySpec>> lists;
  for (const uint32_t dtype : kDtypes)
    for (const Shape& shape :
         {Shape{}, Shape{1}, Shape{7}, Shape{0}, Shape{5, 3}, Shape{0, 2}, Shape{3, 2, 2}})
      lists.push_back({{{"a", dtype, shape, -1}, {}}});
  lists.push_back({{{"grey", PLAIT_U8, {5, 4, 1}, -1}, {}}});
  lists.push_back({{{"pictures", PLAIT_U8, {3, 5, 4, 3}, -1}, {}}});
  lists.push_back({{{"a", PLAIT_F32, {4, 2}, -1}, {"first", "second"}}});
  lists.push_back({{{"n", PLAIT_I64, {4}, -1}, {}}, {{"a.b", PLAIT_F64, {4, 2}, -1}, {"x", "y"}}});
  lists.push_back({{{"a", PLAIT_F32, {4}, -1}, {}}, {{"b", PLAIT_U8, {2, 3}, -1}, {}}});
  return lists;
}

std::string SinkBench::text() const { return config_text(*config); }

Result<bool> SinkBench::takes(const FilledArrays& arrays) const {
  std::vector<SinkArraySpec> specs;
  for (const FilledArray& array : arrays) specs.push_back(array.spec);
  CallContext context;
  return answered(check_arrays(instance->entry(), *config, specs, context));
}

Result<bool> SinkBench::takes(uint32_t value) const {
  CallContext context;
  return answered(check_pairs(instance->entry(), *config, value, context));
}

Status SinkBench::write(CallContext& context, const FilledArrays& arrays, const ByteTaker::Take& take,
                        Poison beyond) const {
  std::vector<SinkArraySpec> specs;
  std::vector<std::unique_ptr<Guarded>> memory;
  std::vector<const void*> data;
  for (const FilledArray& array : arrays) {
    specs.push_back(array.spec);
    memory.push_back(std::make_unique<Guarded>(array.bytes.size(), beyond));
    memory.back()->write(array.bytes.data(), array.bytes.size());
    data.push_back(memory.back()->data());
  }
  const ByteTaker taker(take);
  const RawSinkArrays raw(specs, data);
  const Status called = context.call([&] {
    return ops().write_arrays(instance->self(), context.raw(), raw.size(), raw.data(), taker.raw());
  });
  for (size_t i = 0; i < arrays.size(); ++i) {
    const bool is_kept = arrays[i].bytes == std::string_view(memory[i]->as<char>(), memory[i]->bytes());
    if (!is_kept || !memory[i]->overrun().empty())
      return broken(
          fmt::format("writes the array \"{}\", which it is given to read", arrays[i].spec.spec.name));
  }
  return as_broken(taker.outcome(called));
}

Status SinkBench::write(CallContext& context, uint32_t value, const Pairs& pairs, const ByteTaker::Take& take,
                        Poison beyond) const {
  PairLender lender(value, pairs, beyond);
  const ByteTaker taker(take);
  const Status called = context.call(
      [&] { return ops().write_pairs(instance->self(), context.raw(), lender.raw(), taker.raw()); });
  return as_broken(taker.outcome(called));
}

Pairs draw_sorted_pairs(Dice& dice, uint32_t value, size_t count) {
  Pairs pairs;
  for (std::string one : draw_values(dice, value, count, 1)) {
    if (value == PLAIT_VALUE_BYTES)  // text: a configuration may refuse what is not UTF-8
      for (char& c : one) c = static_cast<char>('a' + static_cast<uint8_t>(c) % 26);
    std::string key(1 + dice.below(6), ' ');
    for (char& c : key) c = static_cast<char>('a' + dice.below(26));
    pairs.push_back({key, one});
  }
  std::ranges::stable_sort(pairs, {}, &KeyedPair::key);
  return pairs;
}

Result<std::vector<SinkBench>> sink_benches(Trial& trial, size_t count) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  std::vector<SinkBench> benches;
  std::string refusal;
  for (const Example& one : configs) {
    trial.doing("create, " + config_text(*one.config));
    CallContext context;
    auto made = create_instance(trial.registry(), trial.entry(), *one.config, PLAIT_HOST_DEVICE, context);
    if (!made && !is_refusal(made.status())) return made.status();
    if (!made) {
      refusal = made.status().message();
      continue;
    }
    benches.push_back({one.config, std::make_shared<Instance>(std::move(*made))});
  }
  if (benches.empty()) return skipped("create refuses what can be guessed: " + refusal);
  return benches;
}

Result<Workers> sink_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(auto benches, sink_benches(trial, count));
  Workers workers;
  for (const SinkBench& bench : benches) {
    if (workers.size() >= 2 * count) break;
    if (writes_pairs(trial.entry())) {
      for (const uint32_t value : kSinkValues) {
        PLAIT_ASSIGN(const bool takes, bench.takes(value));
        if (!takes) continue;
        workers.push_back(std::make_unique<SinkWorker>(bench, FilledArrays(), value,
                                                       draw_sorted_pairs(trial.dice(), value, 40)));
        break;
      }
    }
    for (const auto& specs :
         writes_arrays(trial.entry()) ? usual_arrays() : std::vector<std::vector<SinkArraySpec>>()) {
      FilledArrays arrays = draw_arrays(trial.dice(), specs);
      if (arrays.front().bytes.empty()) continue;
      PLAIT_ASSIGN(const bool takes, bench.takes(arrays));
      if (!takes) continue;
      workers.push_back(std::make_unique<SinkWorker>(bench, std::move(arrays), 0, Pairs()));
      break;
    }
  }
  if (workers.empty()) return skipped("refuses all the arrays and pairs that the kit draws");
  return workers;
}

}  // namespace plait::inline verify
