// Reducers: how the shards' deltas of a round become one. Two sorts:
//
// linear: a weight in the exact mean
//   int weight(const ShardResult& r) const;       // from 1 on, whatever the loss; see below
// gathering: a slice of all deltas, buffers or slots (median, trimmed mean); infinities for a failed shard
//   void combine(Context& c, std::span<const float* const> deltas, Out combined) const;
//
// Weights are divided by the common divisor of all shards: only then they have to be at most 65536.
// Threads: [any]
#pragma once
#include "entry.hpp"
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
constexpr void check_reducer() {
  PLAIT_SDK_CHECK_HOOK(weight, const T, "int weight(const ShardResult& r) const", Whole, const ShardResult&);
  PLAIT_SDK_CHECK_HOOK(combine, const T,
                       "void combine(Context& c, std::span<const float* const> deltas, Out combined) const",
                       void, Context&, std::span<const float* const>, Out);
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
const plait_reducer_ops* reducer_ops() {
  static const plait_reducer_ops ops = [] {
    plait_reducer_ops table{sizeof(plait_reducer_ops), 0,       &create_thunk<T>,
                            &destroy_thunk<T>,         nullptr, nullptr};
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
  static_assert(detail::WeighsShards<T> != detail::CombinesShards<T>,
                "a reducer needs one of: int weight(const ShardResult&) const; void combine(Context&, "
                "std::span<const float* const> deltas, Out combined) const");
  detail::check_reducer<T>();
  return detail::make_entry<T>("reducer", id, nullptr, kCpu, detail::reducer_ops<T>());
}

}  // namespace plait::sdk
