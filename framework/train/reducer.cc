#include "train/reducer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <set>

#include "base/shown.h"
#include "cluster/exact_kernels.h"
#include "cluster/exact_sum.h"
#include "pipeline/load.h"

namespace plait::inline train {
namespace {

// One rank's results as a message: shard number, then its values; and so on.
Bytes encode(const std::map<int, std::vector<float>>& results) {
  Bytes bytes;
  for (const auto& [shard, values] : results) {
    const size_t at = bytes.size(), n = values.size() * sizeof(float);
    bytes.resize(at + sizeof shard + n);
    std::memcpy(bytes.data() + at, &shard, sizeof shard);
    std::memcpy(bytes.data() + at + sizeof shard, values.data(), n);
  }
  return bytes;
}

void decode(const Bytes& bytes, size_t count, std::vector<std::vector<float>>& results) {
  const size_t n = count * sizeof(float);
  for (size_t at = 0; at + sizeof(int) + n <= bytes.size(); at += sizeof(int) + n) {
    int shard = 0;
    std::memcpy(&shard, bytes.data() + at, sizeof shard);
    auto& values = results.at(static_cast<size_t>(shard));
    values.resize(count);
    std::memcpy(values.data(), bytes.data() + at + sizeof shard, n);
  }
}

constexpr int32_t kLargestWeight = 65'536;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

Result<std::unique_ptr<Reducer>> Reducer::create(const Registry& registry, const PluginSpec& spec, int shards,
                                                 int64_t samples) {
  std::unique_ptr<Reducer> reducer(new Reducer);
  CallContext context;
  PLAIT_ASSIGN(reducer->instance_,
               create_instance(registry, *spec.entry, *spec.config, PLAIT_HOST_DEVICE, context));
  const auto* ops = reducer->instance_.ops<plait_reducer_ops>();
  reducer->takes_whole_ = PLAIT_HAS(ops, combine_whole) && !PLAIT_HAS(ops, weight);
  if (!PLAIT_HAS(ops, weight) && !PLAIT_HAS(ops, combine) && !reducer->takes_whole_)
    return Status(
        Code::kInvalid,
        error_at(spec.where, "the reducer " + spec.entry->short_name() +
                                 " is for values by key, in a stage; wanted one of the shards' deltas"));
  reducer->gathers_ = !PLAIT_HAS(ops, weight);
  reducer->samples_ = samples;
  reducer->weights_.assign(static_cast<size_t>(shards), 1);
  if (reducer->takes_whole_) {
    PLAIT_TRY(reducer->describe(*spec.entry->type).at(spec.where.text()));
    PLAIT_TRY(reducer->try_number_of_shards(spec));
  }
  if (reducer->gathers_) return reducer;
  int32_t divisor = 0;
  for (int k = 0; k < shards; ++k) {
    PLAIT_ASSIGN(reducer->weights_[static_cast<size_t>(k)], reducer->ask(k, 0));
    divisor = std::gcd(divisor, reducer->weights_[static_cast<size_t>(k)]);
  }
  reducer->divisor_ = divisor;
  PLAIT_TRY(reducer->check_weights());
  if (reducer->total_weight() <= ExactSum::kLargestTotal) return reducer;
  return Status(Code::kInvalid, reducer->name() + ": the weights of all shards add up to " +
                                    std::to_string(reducer->total_weight()) + ", wanted at most " +
                                    std::to_string(ExactSum::kLargestTotal));
}

Status Reducer::describe(const plait_type& type) {
  const auto* rules = static_cast<const plait_reducer_rules*>(type.rules);
  if (!PLAIT_HAS(rules, describe)) return {};
  plait_optimizer_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &states_;
  builder.slot = [](const plait_optimizer_builder* made, const plait_slot_spec* spec) {
    auto& states = *static_cast<std::vector<SlotInfo>*>(made->host_data);
    states.push_back({spec->name != nullptr ? spec->name : "", PLAIT_REDUCE_NONE, spec->initial});
    return int{PLAIT_OK};
  };
  CallContext context;
  PLAIT_TRY(
      context.call([&] { return rules->describe(context.raw(), &instance_.config(), &builder); }).at(name()));
  std::set<std::string> names;
  for (const SlotInfo& state : states_) {
    PLAIT_TRY(check_name(state.name, "state").at(name()));
    if (!names.insert(state.name).second)
      return {Code::kPlugin, name() + " has two states \"" + state.name + "\""};
  }
  return {};
}

Status Reducer::try_number_of_shards(const PluginSpec& spec) const {
  std::vector<std::vector<float>> states(states_.size()), deltas(weights_.size());
  const std::vector<Outcome> outcomes(weights_.size(), {1, samples_});
  plait_whole_reduction call{};
  const Status tried = call_whole(call, outcomes, deltas, states);
  return tried ? Status() : Status(tried.code(), error_at(spec.where, tried.message()));
}

Status Reducer::check_weights() const {
  for (int k = 0; k < static_cast<int>(weights_.size()); ++k) {
    if (weight(k) <= kLargestWeight) continue;
    return {Code::kInvalid, name() + ": weight " + std::to_string(weight(k)) + " of shard " +
                                std::to_string(k) +
                                ", when the common divisor of all shards is taken out, wanted 1 to " +
                                std::to_string(kLargestWeight)};
  }
  return {};
}

int64_t Reducer::total_weight() const {
  return std::accumulate(weights_.begin(), weights_.end(), int64_t{0}) / divisor_;
}

Result<int32_t> Reducer::ask(int shard, double loss) const {
  plait_shard_result result{};
  result.struct_size = sizeof result;
  result.shards = static_cast<uint32_t>(weights_.size());
  result.shard = static_cast<uint32_t>(shard);
  result.samples = samples_;
  result.loss = loss;
  CallContext context;
  int32_t weight = 0;
  const auto* ops = instance_.ops<plait_reducer_ops>();
  PLAIT_TRY(context.call([&] { return ops->weight(instance_.self(), context.raw(), &result, &weight); })
                .at(name()));
  if (weight >= 1) return weight;
  return Status(Code::kPlugin, name() + ": weight " + std::to_string(weight) + ", wanted at least 1");
}

Status Reducer::check_weight(int shard, double loss) const {
  if (gathers_) return {};
  PLAIT_ASSIGN(const int32_t now, ask(shard, loss));
  if (now == weights_[static_cast<size_t>(shard)]) return {};
  return {Code::kUnsupported, name() + ": the weight of shard " + std::to_string(shard) +
                                  " depends on its loss; weights have to be known before a round"};
}

void Reducer::begin() { results_.clear(); }

bool Reducer::keep(int shard, std::span<const std::span<const float>> parts) {
  std::vector<float> values;
  for (const std::span<const float> part : parts) values.insert(values.end(), part.begin(), part.end());
  const bool finite = largest_magnitude_bits(values) < kInfinityBits;
  if (!finite)
    std::ranges::replace_if(
        values, [](float x) { return std::isnan(x); }, kInfinity);
  std::lock_guard lock(mutex_);
  results_[shard] = std::move(values);
  return finite;
}

void Reducer::leave_out(int shard, std::span<const size_t> lengths) {
  std::lock_guard lock(mutex_);
  results_[shard].assign(std::accumulate(lengths.begin(), lengths.end(), size_t{0}), kInfinity);
}

Result<std::vector<std::vector<float>>> Reducer::gather(Transport& transport, size_t count) {
  PLAIT_ASSIGN(const std::vector<Bytes> messages, transport.all_gather(encode(results_)));
  std::vector<std::vector<float>> results(weights_.size());
  for (const Bytes& message : messages) decode(message, count, results);
  for (size_t k = 0; k < results.size(); ++k) {
    if (results[k].size() != count)
      return Status(Code::kPeer, "the result of shard " + std::to_string(k) + " did not arrive");
  }
  return results;
}

Status Reducer::combine(Transport& transport, std::span<const std::span<float>> parts) {
  size_t count = 0;
  for (const std::span<float> part : parts) count += part.size();
  PLAIT_ASSIGN(const std::vector<std::vector<float>> results, gather(transport, count));
  size_t at = 0;
  for (const std::span<float> part : parts) {
    std::vector<const float*> places;
    for (const std::vector<float>& values : results) places.push_back(values.data() + at);
    PLAIT_TRY(combine_part(places, part));
    at += part.size();
  }
  return {};
}

Status Reducer::combine_whole(Transport& transport, const GatheredLayout& layout, int64_t round,
                              std::vector<Outcome> outcomes, std::vector<std::vector<float>>& states,
                              std::span<const std::span<float>> parts) {
  PLAIT_ASSIGN(std::vector<std::vector<float>> deltas, gather(transport, layout.count()));
  for (size_t k = 0; k < deltas.size(); ++k) {
    if (largest_magnitude_bits(deltas[k]) < kInfinityBits) continue;
    std::ranges::fill(deltas[k], kInfinity);
    outcomes[k] = {std::numeric_limits<double>::infinity(), 0};
  }
  std::vector<plait_reduced_tensor> tensors;
  std::vector<const plait_reduced_tensor*> pointers;
  for (const GatheredTensor& tensor : layout.tensors()) {
    const std::vector<int64_t>& shape = layout.shape(tensor);
    tensors.push_back({sizeof(plait_reduced_tensor), tensor.what, tensor.name.c_str(), shape.data(),
                       static_cast<int32_t>(shape.size()), tensor.reduce, tensor.first, tensor.count});
  }
  for (const plait_reduced_tensor& tensor : tensors) pointers.push_back(&tensor);
  std::vector<std::vector<float>> next = states;
  std::vector<float> combined(layout.count());
  plait_whole_reduction call{};
  call.round = round;
  call.count = layout.count();
  call.n_tensors = static_cast<uint32_t>(tensors.size());
  call.tensors = pointers.data();
  call.combined = combined.data();
  PLAIT_TRY(call_whole(call, outcomes, deltas, next));
  PLAIT_TRY(layout.clear_padding(combined));
  if (largest_magnitude_bits(combined) >= kInfinityBits)
    return {Code::kNumeric, name() + " gives a value that is not finite"};
  for (size_t s = 0; s < next.size(); ++s) {
    PLAIT_TRY(layout.clear_padding(next[s]));
    if (largest_magnitude_bits(next[s]) >= kInfinityBits)
      return {Code::kNumeric,
              name() + " leaves a value in its state \"" + states_[s].name + "\" that is not finite"};
  }
  size_t at = 0;
  for (const std::span<float> part : parts) {
    std::copy_n(combined.begin() + static_cast<ptrdiff_t>(at), part.size(), part.begin());
    at += part.size();
  }
  states = std::move(next);
  return {};
}

// `call` has what is not the same in a trial.
Status Reducer::call_whole(plait_whole_reduction& call, const std::vector<Outcome>& outcomes,
                           const std::vector<std::vector<float>>& deltas,
                           std::vector<std::vector<float>>& states) const {
  float none = 0;  // vectors of no elements have a place too
  std::vector<plait_shard_result> results;
  std::vector<const plait_shard_result*> result_pointers;
  std::vector<const float*> delta_pointers;
  std::vector<float*> state_pointers;
  const auto shards = static_cast<uint32_t>(outcomes.size());
  for (uint32_t k = 0; k < shards; ++k)
    results.push_back({sizeof(plait_shard_result), shards, k, 0, outcomes[k].samples, outcomes[k].loss});
  for (const plait_shard_result& result : results) result_pointers.push_back(&result);
  for (const std::vector<float>& delta : deltas)
    delta_pointers.push_back(delta.empty() ? &none : delta.data());
  for (std::vector<float>& state : states) state_pointers.push_back(state.empty() ? &none : state.data());
  call.struct_size = sizeof call;
  call.shards = shards;
  call.n_states = static_cast<uint32_t>(states.size());
  call.results = result_pointers.data();
  call.deltas = delta_pointers.data();
  call.states = state_pointers.data();
  if (call.combined == nullptr) call.combined = &none;
  CallContext context;
  const auto* ops = instance_.ops<plait_reducer_ops>();
  return context.call([&] { return ops->combine_whole(instance_.self(), context.raw(), &call); }).at(name());
}

Status Reducer::combine_part(const std::vector<const float*>& values, std::span<float> combined) const {
  if (combined.empty()) return {};
  CallContext context;
  const auto* ops = instance_.ops<plait_reducer_ops>();
  PLAIT_TRY(context
                .call([&] {
                  return ops->combine(instance_.self(), context.raw(), static_cast<uint32_t>(values.size()),
                                      values.data(), combined.size(), combined.data());
                })
                .at(name()));
  if (largest_magnitude_bits(combined) < kInfinityBits) return {};
  return {Code::kNumeric, name() + " gives a value that is not finite"};
}

}  // namespace plait::inline train
