// Reducers. Of the shards' deltas of a round, which become one:
//
// linear: a weight in the exact mean
//   int weight(const ShardResult& r) const;       // from 1 on, whatever the loss; see below
// gathering: a slice of all deltas, buffers or slots (median, trimmed mean); infinities for a failed shard
//   void combine(Context& c, std::span<const float* const> deltas, Out combined) const;
//
// Weights are divided by the common divisor of all shards: only then they have to be at most 65536.
//
// Of keys: what becomes of the values of one key; together with the above or alone
//   Value infer(Value in) const;  // kind of what comes out; fails for values that it cannot take
//   void reduce(Context& c, std::string_view key, Values& values, Emitter& out) const;
//
// reduce emits any number of values, all under its key. Threads: [any]
#pragma once
#include "keyed.hpp"
#include "tensor.hpp"

namespace plait::sdk {

struct ShardResult {
  uint32_t shards;  // K
  uint32_t shard;
  int64_t samples;  // trained on in this round
  double loss;      // mean of the round
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

// Null for one that reduces deltas alone.
template <class T>
const plait_reducer_rules* reducer_rules() {
  if constexpr (ReducesKeys<T>) {
    static constexpr plait_reducer_rules rules{sizeof(plait_reducer_rules), 0, &reducer_infer<T>, nullptr};
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
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A reducer type and its implementation.
template <class T>
Entry reducer(const char* id) {
  static_assert(!(detail::WeighsShards<T> && detail::CombinesShards<T>),
                "weight and combine are there both: a reducer of deltas is linear or gathers");
  static_assert(
      detail::WeighsShards<T> || detail::CombinesShards<T> || detail::ReducesKeys<T>,
      "a reducer needs one of: int weight(const ShardResult&) const; void combine(Context&, "
      "std::span<const float* const> deltas, Out combined) const; Value infer(Value) const and void "
      "reduce(Context&, std::string_view key, Values&, Emitter&) const");
  detail::check_reducer<T>();
  return detail::make_entry<T>("reducer", id, detail::reducer_rules<T>(), kCpu, detail::reducer_ops<T>());
}

}  // namespace plait::sdk
