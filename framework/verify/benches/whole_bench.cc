#include "verify/benches/whole_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

struct Stretch {
  const char* name;
  uint32_t what, reduce;
  uint64_t first;
  std::array<int64_t, 2> shape;
  uint64_t count() const { return static_cast<uint64_t>(shape[0] * shape[1]); }
};

// Elements 30 and 31, 39 and 83 belong to none.
constexpr Stretch kStretches[] = {
    {"a.weight", PLAIT_REDUCED_PARAMETER, PLAIT_REDUCE_MEAN32, 0, {5, 6}},
    {"a.bias", PLAIT_REDUCED_PARAMETER, PLAIT_REDUCE_MEAN32, 32, {7, 1}},
    {"n.mean", PLAIT_REDUCED_BUFFER, PLAIT_REDUCE_MEAN64, 40, {4, 1}},
    {"n.variance", PLAIT_REDUCED_BUFFER, PLAIT_REDUCE_VARIANCE, 44, {4, 1}},
    {"n.most", PLAIT_REDUCED_BUFFER, PLAIT_REDUCE_MAX, 48, {4, 1}},
    {"a.weight.momentum", PLAIT_REDUCED_SLOT, PLAIT_REDUCE_MEAN32, 53, {5, 6}},
    {"a.bias.momentum", PLAIT_REDUCED_SLOT, PLAIT_REDUCE_MEAN32, 84, {7, 1}},
};
constexpr uint64_t kCount = 91;

std::vector<plait_reduced_tensor> raw_tensors() {
  std::vector<plait_reduced_tensor> tensors;
  for (const Stretch& one : kStretches)
    tensors.push_back({sizeof(plait_reduced_tensor), one.what, one.name, one.shape.data(), 2, one.reduce,
                       one.first, one.count()});
  return tensors;
}

template <class T>
std::vector<const T*> pointers_to(const std::vector<T>& list) {
  std::vector<const T*> pointers;
  for (const T& one : list) pointers.push_back(&one);
  return pointers;
}

}  // namespace

bool takes_whole(const plait_reducer_ops& ops) {
  const plait_reducer_ops* const table = &ops;
  return PLAIT_HAS(table, combine_whole) && ops.weight == nullptr;
}

Result<std::unique_ptr<WholeBench>> WholeBench::create(Trial& trial, const plait_config& config) {
  auto bench = std::make_unique<WholeBench>();
  CallContext context;
  trial.doing("create, " + config_text(config));
  PLAIT_ASSIGN(bench->instance_,
               create_instance(trial.registry(), trial.entry(), config, trial.name().device_id, context));
  const auto* rules = static_cast<const plait_reducer_rules*>(trial.type().rules);
  if (!PLAIT_HAS(rules, describe)) return bench;
  plait_optimizer_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &bench->states_;
  builder.slot = [](const plait_optimizer_builder* made, const plait_slot_spec* spec) {
    static_cast<std::vector<SlotInfo>*>(made->host_data)
        ->push_back({spec->name == nullptr ? "" : spec->name, spec->reduce, spec->initial});
    return int{PLAIT_OK};
  };
  PLAIT_TRY(context.call([&] { return rules->describe(context.raw(), &bench->instance_.config(), &builder); })
                .at("describe"));
  return bench;
}

std::string WholeBench::text() const { return config_text(instance_.config()); }

Result<std::vector<std::unique_ptr<WholeBench>>> whole_benches(Trial& trial, size_t count) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  std::vector<std::unique_ptr<WholeBench>> benches;
  for (const Example& one : configs) {
    auto made = WholeBench::create(trial, *one.config);
    if (!made && !is_refusal(made.status())) return made.status();
    if (made) benches.push_back(std::move(made).value());
  }
  if (benches.empty()) return skipped("create refuses what can be guessed");
  return benches;
}

WholeRun::WholeRun(const WholeBench& bench, size_t shards, Dice& dice, Poison poison)
    : combined(kCount * sizeof(float), poison), bench_(bench) {
  for (size_t k = 0; k < shards; ++k) {
    std::vector<float>& values = given_.emplace_back(kCount, 0.0f);
    for (const Stretch& one : kStretches)
      for (uint64_t i = one.first; i < one.first + one.count(); ++i)
        values[i] = static_cast<float>(dice.between(one.reduce == PLAIT_REDUCE_VARIANCE ? 0.1 : -1, 1));
    deltas.emplace_back(kCount * sizeof(float), poison);
    deltas.back().write(values.data(), deltas.back().bytes());
    results_.push_back({sizeof(plait_shard_result), static_cast<uint32_t>(shards), static_cast<uint32_t>(k),
                        0, 64, dice.between(0.1, 2)});
  }
  for (const SlotInfo& state : bench.states()) {
    std::vector<float> values(kCount, 0.0f);
    for (const Stretch& one : kStretches)
      std::fill_n(values.begin() + static_cast<ptrdiff_t>(one.first), one.count(),
                  static_cast<float>(state.initial));
    states.emplace_back(kCount * sizeof(float), poison);
    states.back().write(values.data(), states.back().bytes());
  }
}

void WholeRun::fail(size_t shard) {
  given_[shard].assign(kCount, std::numeric_limits<float>::infinity());
  deltas[shard].write(given_[shard].data(), deltas[shard].bytes());
  results_[shard].loss = std::numeric_limits<double>::infinity();
  results_[shard].samples = 0;
}

Status WholeRun::combine() {
  const auto tensors = raw_tensors();
  const auto tensor_pointers = pointers_to(tensors);
  const auto result_pointers = pointers_to(results_);
  std::vector<const float*> vectors;
  std::vector<float*> kept;
  for (const Guarded& delta : deltas) vectors.push_back(delta.as<float>());
  for (Guarded& state : states) kept.push_back(state.as<float>());
  plait_whole_reduction call{};
  call.struct_size = sizeof call;
  call.shards = static_cast<uint32_t>(deltas.size());
  call.round = round;
  call.count = kCount;
  call.n_tensors = static_cast<uint32_t>(tensors.size());
  call.n_states = static_cast<uint32_t>(states.size());
  call.tensors = tensor_pointers.data();
  call.results = result_pointers.data();
  call.deltas = vectors.data();
  call.states = kept.data();
  call.combined = combined.as<float>();
  const Instance& instance = bench_.instance();
  return context
      .call([&] {
        return instance.ops<plait_reducer_ops>()->combine_whole(instance.self(), context.raw(), &call);
      })
      .at("combine_whole");
}

Status WholeRun::combine_none() {
  const auto result_pointers = pointers_to(results_);
  Guarded nothing(4, Poison::kNan);
  std::vector<const float*> vectors(deltas.size(), nothing.as<float>());
  std::vector<float*> kept(states.size(), nothing.as<float>());
  plait_whole_reduction call{};
  call.struct_size = sizeof call;
  call.shards = static_cast<uint32_t>(deltas.size());
  call.n_states = static_cast<uint32_t>(states.size());
  call.results = result_pointers.data();
  call.deltas = vectors.data();
  call.states = kept.data();
  call.combined = nothing.as<float>();
  const Guarded before(4, Poison::kNan);
  const Instance& instance = bench_.instance();
  const Status done = context.call([&] {
    return instance.ops<plait_reducer_ops>()->combine_whole(instance.self(), context.raw(), &call);
  });
  if (!nothing.same_bits(before) || !nothing.overrun().empty())
    return broken("writes where vectors of no elements are");
  return done;
}

bool WholeRun::same(const WholeRun& other) const {
  for (const Stretch& one : kStretches)
    if (std::memcmp(combined.as<float>() + one.first, other.combined.as<float>() + one.first,
                    one.count() * sizeof(float)) != 0)
      return false;
  for (size_t s = 0; s < states.size(); ++s)
    for (const Stretch& one : kStretches)
      if (std::memcmp(states[s].as<float>() + one.first, other.states[s].as<float>() + one.first,
                      one.count() * sizeof(float)) != 0)
        return false;
  return true;
}

std::string WholeRun::not_finite() const {
  for (const Stretch& one : kStretches)
    for (uint64_t i = one.first; i < one.first + one.count(); ++i)
      if (!std::isfinite(combined.as<float>()[i]))
        return fmt::format("element {} of {} is {}", i - one.first, one.name, combined.as<float>()[i]);
  return "";
}

std::string WholeRun::misdeed() const {
  if (const std::string text = combined.overrun(); !text.empty()) return "combined: " + text;
  for (size_t s = 0; s < states.size(); ++s)
    if (const std::string text = states[s].overrun(); !text.empty())
      return fmt::format("state {}: {}", s, text);
  for (size_t k = 0; k < deltas.size(); ++k)
    if (std::memcmp(deltas[k].data(), given_[k].data(), deltas[k].bytes()) != 0)
      return fmt::format("delta {}, which it is given to read", k);
  return "";
}

}  // namespace plait::inline verify
