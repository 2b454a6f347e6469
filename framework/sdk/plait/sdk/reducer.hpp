// Reducers. Of the shards' deltas of a round, which become one:
//
// linear: a weight in the exact mean
//   int weight(const ShardResult& r) const;       // from 1 on, whatever the loss; see below
// gathering: a slice of all deltas, buffers or slots (median, trimmed mean); infinities for a failed shard
//   void combine(Context& c, std::span<const float* const> deltas, Out combined) const;
// whole: all that the shards made, at once, with states between rounds (Krum, a server that has momentum)
//   void combine_whole(Context& c, const WholeReduction& call) const;
//   void states(ReducerStates& s) const;  // optional: what is kept between rounds; pure
//       // Before the first round it is called once with vectors of no elements and the job's number of
//       shards:
//       // what it refuses then is found when the file is checked. What it gives must be finite.
//
// Weights are divided by the common divisor of all shards: only then they have to be at most 65536.
//
// Of keys: what becomes of the values of one key; together with the above or alone
//   Value infer(Value in) const;  // kind of what comes out; fails for values that it cannot take
//   void reduce(Context& c, std::string_view key, Values& values, Emitter& out) const;
//
// reduce emits any number of values, all under its key. Threads: [any]
#pragma once
#include <algorithm>
#include <cmath>
#include <deque>
#include <string>

#include "keyed.hpp"
#include "tensor.hpp"

namespace plait::sdk {

struct ShardResult {
  uint32_t shards;  // K
  uint32_t shard;
  int64_t samples;  // trained on in this round
  double loss;      // mean of the round
};

// What a reducer keeps between rounds: one number for each element of the vectors, in checkpoints too.
class ReducerStates {
 public:
  using ChangedByHook = void;
  // Its place among the states is that of the call; a name of its own.
  void state(std::string_view name, double initial = 0) { made_.push_back({std::string(name), initial}); }

  // From here on for the SDK.
  struct Made {
    std::string name;
    double initial;
  };
  const std::deque<Made>& made() const { return made_; }

 private:
  std::deque<Made> made_;
};

// A stretch of a round's vectors.
class ReducedTensor {
 public:
  explicit ReducedTensor(const plait_reduced_tensor* tensor) : c_(tensor) {}
  std::string_view name() const { return c_->name; }  // "c1.weight"; of a slot "c1.weight.momentum"
  std::span<const int64_t> shape() const { return {c_->shape, static_cast<size_t>(c_->rank)}; }  // plain
  bool is_parameter() const { return c_->what == PLAIT_REDUCED_PARAMETER; }
  bool is_buffer() const { return c_->what == PLAIT_REDUCED_BUFFER; }
  bool is_slot() const { return c_->what == PLAIT_REDUCED_SLOT; }
  // How its copies become one where a reducer has no better way; of a parameter the mean.
  Reduce reduce() const { return is_parameter() ? Reduce::mean32 : static_cast<Reduce>(c_->reduce); }
  // Elements first .. first + count - 1 of the vectors, in the layer's own order, padded with zeros.
  size_t first() const { return c_->first; }
  size_t count() const { return c_->count; }

 private:
  const plait_reduced_tensor* c_;
};

// All results of a round. A vector is a shard's change of the parameters (or its gradients, where those are
// summed), then its buffers and the slots of its optimizer, as they are, by tensors().
// Threads: [one at a time]; the same call on every rank.
class WholeReduction {
 public:
  explicit WholeReduction(const plait_whole_reduction* call)
      : shards(call->shards),
        round(call->round),
        count(call->count),
        combined(call->combined, call->count),
        c_(call) {}

  size_t shards;  // K
  int64_t round;  // 0-based
  size_t count;   // elements of a vector
  Out combined;   // to be written, all of it

  size_t tensors() const { return c_->n_tensors; }
  ReducedTensor tensor(size_t i) const { return ReducedTensor(c_->tensors[i]); }
  ShardResult result(size_t k) const {
    const plait_shard_result& r = *c_->results[k];
    return {r.shards, r.shard, r.samples, r.loss};
  }
  // A shard without a result: its vector is infinities, and so is its loss.
  bool failed(size_t k) const { return std::isinf(c_->results[k]->loss); }
  In delta(size_t k) const { return {c_->deltas[k], count}; }
  In delta(size_t k, const ReducedTensor& of) const { return delta(k).subspan(of.first(), of.count()); }
  Out combined_of(const ReducedTensor& tensor) const {
    return combined.subspan(tensor.first(), tensor.count());
  }
  // In the order of declaration; what was written in the round before.
  Out state(size_t i) const { return {c_->states[i], count}; }

  // Writes combined_of(tensor(i)) as its rule has it: the weighted mean, the maximum, or the variance of all
  // together. Shards of weight 0 take no part. Fails with: kNumeric when no shard has a weight.
  // Shapes: weights [K], not negative
  void average(size_t i, std::span<const double> weights) const {
    const ReducedTensor of = tensor(i);
    const Out to = combined_of(of);
    for (size_t e = 0; e < to.size(); ++e) {
      if (of.reduce() == Reduce::max)
        to[e] = largest(of, weights, e);
      else if (of.reduce() == Reduce::variance && i > 0)
        to[e] = static_cast<float>(variance(tensor(i - 1), of, weights, e));
      else
        to[e] = static_cast<float>(mean(of, weights, e));
    }
  }
  void average_all(std::span<const double> weights) const {
    for (size_t i = 0; i < tensors(); ++i) average(i, weights);
  }
  // Weight 1 for every shard that has a result.
  std::vector<double> equal_weights() const {
    std::vector<double> weights(shards);
    for (size_t k = 0; k < shards; ++k) weights[k] = failed(k) ? 0 : 1;
    return weights;
  }

  const plait_whole_reduction* c() const { return c_; }

 private:
  template <class Value>
  double weighted(std::span<const double> weights, Value&& value) const {
    double sum = 0, all = 0;
    for (size_t k = 0; k < shards; ++k) {
      if (!(weights[k] > 0)) continue;
      sum += weights[k] * value(k);
      all += weights[k];
    }
    if (!(all > 0)) throw Error(ErrorCode::kNumeric, "none of ", shards, " shards has a result to go by");
    return sum / all;
  }
  double mean(const ReducedTensor& of, std::span<const double> weights, size_t e) const {
    return weighted(weights, [&](size_t k) { return double{delta(k, of)[e]}; });
  }
  // Of all samples together: the spread of the shards' means is part of it.
  double variance(const ReducedTensor& means, const ReducedTensor& of, std::span<const double> weights,
                  size_t e) const {
    const double all = mean(means, weights, e);
    return weighted(weights, [&](size_t k) {
      const double apart = delta(k, means)[e] - all;
      return delta(k, of)[e] + apart * apart;
    });
  }
  float largest(const ReducedTensor& of, std::span<const double> weights, size_t e) const {
    float most = -INFINITY;
    for (size_t k = 0; k < shards; ++k)
      if (weights[k] > 0) most = std::max(most, delta(k, of)[e]);
    return most;
  }
  const plait_whole_reduction* c_;
};

namespace detail {

template <class T>
concept WeighsShards = requires(const T& t, const ShardResult& r) {
  { t.weight(r) } -> std::convertible_to<int32_t>;
};
template <class T>
concept CombinesShards = requires(const T& t, Context& c, std::span<const float* const> deltas,
                                  Out combined) {
  t.combine(c, deltas, combined);
};

template <class T>
concept CombinesWhole = requires(const T& t, Context& c, const WholeReduction& call) {
  t.combine_whole(c, call);
};
template <class T>
concept KeepsStates = requires(const T& t, ReducerStates& s) {
  t.states(s);
};

template <class T>
concept ReducesKeys = requires(const T& t, Context& c, Values& values, Emitter& out) {
  { t.infer(Value{}) } -> std::convertible_to<Value>;
  t.reduce(c, std::string_view(), values, out);
};

template <class T>
constexpr void check_reducer() {
  PLAIT_SDK_CHECK_HOOK(weight, const T, "int weight(const ShardResult& r) const", Whole, const ShardResult&);
  PLAIT_SDK_CHECK_HOOK(combine, const T,
                       "void combine(Context& c, std::span<const float* const> deltas, Out combined) const",
                       void, Context&, std::span<const float* const>, Out);
  PLAIT_SDK_CHECK_HOOK(combine_whole, const T,
                       "void combine_whole(Context& c, const WholeReduction& call) const", void, Context&,
                       const WholeReduction&);
  PLAIT_SDK_CHECK_HOOK(states, const T, "void states(ReducerStates& s) const", void, ReducerStates&);
  static_assert(!KeepsStates<T> || CombinesWhole<T>,
                "states are never given without combine_whole: void combine_whole(Context& c, const "
                "WholeReduction& call) const");
  static_assert(names_infer<T>() == names_reduce<T>(),
                "infer and reduce are not both: Value infer(Value in) const, and void reduce(Context& c, "
                "std::string_view key, Values& values, Emitter& out) const");
  PLAIT_SDK_CHECK_HOOK(infer, const T, "Value infer(Value in) const", Value, Value);
  PLAIT_SDK_CHECK_HOOK(reduce, const T,
                       "void reduce(Context& c, std::string_view key, Values& values, Emitter& out) const",
                       void, Context&, std::string_view, Values&, Emitter&);
  check_open<T>();
}

template <class T>
int reducer_weight(const void* self, plait_context* context, const plait_shard_result* result,
                   int32_t* weight) noexcept {
  return guard(context, [&] {
    const int64_t answer =
        as<T>(self).weight(ShardResult{result->shards, result->shard, result->samples, result->loss});
    if (answer < 1 || answer > INT32_MAX) throw Error("weight ", answer, " is not in 1 .. ", INT32_MAX);
    *weight = static_cast<int32_t>(answer);
  });
}

template <class T>
int reducer_combine(const void* self, plait_context* context, uint32_t shards, const float* const* deltas,
                    uint64_t count, float* combined) noexcept {
  return guard(context, [&] {
    Context c(context);
    as<T>(self).combine(c, std::span<const float* const>(deltas, shards), Out(combined, count));
  });
}

template <class T>
int reducer_infer(plait_context* context, const plait_config* config, uint32_t in, uint32_t* out) noexcept {
  return guard(context, [&] {
    T reducer{};
    read_config(context, config, reducer);
    *out = static_cast<uint32_t>(Value{std::as_const(reducer).infer(static_cast<Value>(in))});
  });
}

template <class T>
int reducer_reduce(const void* self, plait_context* context, uint32_t in, plait_str key,
                   const plait_values* values, const plait_emitter* out) noexcept {
  return guard(context, [&] {
    Context c(context);
    Values of_key(values, static_cast<Value>(in));
    Emitter emitter(out);
    as<T>(self).reduce(c, std::string_view(key.data, key.size), of_key, emitter);
  });
}

template <class T>
int reducer_combine_whole(const void* self, plait_context* context,
                          const plait_whole_reduction* call) noexcept {
  return guard(context, [&] {
    Context c(context);
    as<T>(self).combine_whole(c, WholeReduction(call));
  });
}

template <class T>
int reducer_describe(plait_context* context, const plait_config* config,
                     const plait_optimizer_builder* builder) noexcept {
  return guard(context, [&] {
    T reducer{};
    read_config(context, config, reducer);
    ReducerStates states;
    std::as_const(reducer).states(states);
    for (const ReducerStates::Made& made : states.made()) {
      const plait_slot_spec spec{sizeof spec, PLAIT_REDUCE_NONE, made.name.c_str(), made.initial};
      if (builder->slot(builder, &spec) != PLAIT_OK)
        throw Error("state \"", made.name, "\" is not acceptable to the host");
    }
  });
}

// Null for one that reduces deltas alone, and keeps nothing.
template <class T>
const plait_reducer_rules* reducer_rules() {
  if constexpr (ReducesKeys<T> || KeepsStates<T>) {
    static constexpr plait_reducer_rules rules = [] {
      plait_reducer_rules table{};
      table.struct_size = sizeof table;
      if constexpr (ReducesKeys<T>) table.infer = &reducer_infer<T>;
      if constexpr (KeepsStates<T>) table.describe = &reducer_describe<T>;
      return table;
    }();
    return &rules;
  }
  return nullptr;
}

template <class T>
const plait_reducer_ops* reducer_ops() {
  static const plait_reducer_ops ops = [] {
    plait_reducer_ops table{};
    table.struct_size = sizeof table;
    table.create = &create_thunk<T>;
    table.destroy = &destroy_thunk<T>;
    if constexpr (ReducesKeys<T>) table.reduce = &reducer_reduce<T>;
    if constexpr (WeighsShards<T>) table.weight = &reducer_weight<T>;
    if constexpr (CombinesShards<T>) table.combine = &reducer_combine<T>;
    if constexpr (CombinesWhole<T>) table.combine_whole = &reducer_combine_whole<T>;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A reducer type and its implementation.
template <class T>
Entry reducer(const char* id) {
  static_assert(
      int{detail::WeighsShards<T>} + int{detail::CombinesShards<T>} + int{detail::CombinesWhole<T>} <= 1,
      "of weight, combine and combine_whole more than one is there: a reducer of deltas is linear, "
      "gathers slices, or takes the whole");
  static_assert(
      detail::WeighsShards<T> || detail::CombinesShards<T> || detail::CombinesWhole<T> ||
          detail::ReducesKeys<T>,
      "a reducer needs one of: int weight(const ShardResult&) const; void combine(Context&, "
      "std::span<const float* const> deltas, Out combined) const; void combine_whole(Context&, const "
      "WholeReduction& call) const; Value infer(Value) const and void "
      "reduce(Context&, std::string_view key, Values&, Emitter&) const");
  detail::check_reducer<T>();
  return detail::make_entry<T>("reducer", id, detail::reducer_rules<T>(), kCpu, detail::reducer_ops<T>());
}

}  // namespace plait::sdk
