// Laws of reducers of the shards' deltas; those of keys have theirs in key_reducer_laws.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "verify/benches/samples.h"
#include "verify/benches/whole_bench.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

template <class Check>
Status for_each_reducer(Trial& trial, Check check) {
  const auto& of_deltas = trial.ops<plait_reducer_ops>();
  if (of_deltas.weight == nullptr && of_deltas.combine == nullptr)
    return skipped(takes_whole(of_deltas) ? "takes whole vectors"
                                          : "reduces the values of keys, not the shards' deltas");
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 8));
  Status refusal = skipped("create refuses what can be guessed");
  int tried = 0;
  for (const Example& one : configs) {
    CallContext context;
    trial.doing("create, " + config_text(*one.config));
    auto reducer =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!reducer && !is_refusal(reducer.status())) return reducer.status().at("create");
    if (!reducer) continue;
    trial.doing("reduce, " + config_text(*one.config));
    const Status status = check(*reducer);
    if (is_skipped(status)) return status;
    PLAIT_TRY(status.at(config_text(*one.config)));
    ++tried;
  }
  if (tried == 0) return refusal;
  trial.remark(fmt::format("{} configurations", tried));
  return {};
}

Result<int32_t> weigh(const Instance& reducer, const plait_shard_result& result) {
  int32_t weight = -77;
  CallContext context;
  PLAIT_TRY(context
                .call([&] {
                  return reducer.ops<plait_reducer_ops>()->weight(reducer.self(), context.raw(), &result,
                                                                  &weight);
                })
                .at("weight"));
  return weight;
}

// Numbers that cannot be may be refused, in words; else the same weight twice.
Result<std::optional<int32_t>> weigh_twice(const Instance& reducer, const plait_shard_result& result) {
  const auto weight = weigh(reducer, result);
  const bool can_be = result.loss >= 0 && std::isfinite(result.loss) && result.samples <= INT32_MAX;
  if (!weight && !can_be && !is_silent(weight.status())) return std::optional<int32_t>();
  PLAIT_TRY(weight.status());
  PLAIT_ASSIGN(const int32_t again, weigh(reducer, result));
  if (*weight < 1)
    return broken(fmt::format("weight {} for {} samples, loss {}; wanted at least 1", *weight, result.samples,
                              result.loss));
  if (*weight != again) return broken("the weight differs when it is asked for again");
  return std::optional<int32_t>(*weight);
}

// The weight of a shard, whatever its loss: the host asks before the round, with a loss of 0, and stops where
// the answer is another one after it. 0: refused for all of them.
Result<int32_t> weight_of_any_loss(const Instance& reducer, plait_shard_result result) {
  int32_t first = 0;
  double first_loss = 0;
  for (const double loss : {0.0, 0.5, 2.3, 1e-9, 1e6, -1.5, 1e-320, HUGE_VAL, double{NAN}}) {
    result.loss = loss;
    PLAIT_ASSIGN(const auto weight, weigh_twice(reducer, result));
    if (!weight) continue;
    if (first == 0) first = *weight, first_loss = loss;
    if (*weight != first)
      return broken(
          fmt::format("the weight depends on the loss: it is {} with loss {}, {} with loss {} ({} samples, "
                      "shard {} of {}); no round could be run: weights are asked for before it",
                      first, first_loss, *weight, loss, result.samples, result.shard, result.shards));
  }
  return first;
}

// As the host asks: all shards of a round, each of as many samples. Divided by what they have in common, the
// exact sum must hold them.
Status check_round_weights(const Instance& reducer, uint32_t shards, int64_t samples) {
  constexpr int32_t kLargest = 65536;
  std::vector<int32_t> all;
  int32_t divisor = 0;
  for (uint32_t shard = 0; shard < shards; ++shard) {
    const plait_shard_result result{sizeof(plait_shard_result), shards, shard, 0, samples, 0};
    PLAIT_ASSIGN(const int32_t weight, weight_of_any_loss(reducer, result));
    if (weight == 0) return {};
    all.push_back(weight), divisor = std::gcd(divisor, weight);
  }
  for (const int32_t weight : all)
    if (weight / divisor > kLargest)
      return broken(
          fmt::format("weight {} for {} samples; divided by {}, which the weights of all {} shards have in "
                      "common, wanted 1 .. {}",
                      weight, samples, divisor, shards, kLargest));
  return {};
}

Status weights(Trial& trial) {
  return for_each_reducer(trial, [&](const Instance& reducer) -> Status {
    const auto* ops = reducer.ops<plait_reducer_ops>();
    if (!PLAIT_HAS(ops, weight)) return skipped("gathers");
    for (const uint32_t shards : {1u, 3u, 64u})
      for (const int64_t samples : std::vector<int64_t>{1, 32, 640, 60000, 70001, 5'242'880, INT64_MAX})
        PLAIT_TRY(check_round_weights(reducer, shards, samples));
    return {};
  });
}

// One gathering call over `count` elements.
class Gather {
 public:
  Gather(std::vector<std::vector<float>> deltas, uint64_t begin, uint64_t end, Poison poison = Poison::kNan)
      : combined((end - begin) * 4, poison) {
    for (const auto& delta : deltas) {
      blocks.emplace_back((end - begin) * 4, poison);
      blocks.back().write(delta.data() + begin, blocks.back().bytes());
    }
    for (Guarded& block : blocks) pointers_.push_back(block.as<float>());
  }
  Status run(const Instance& reducer) {
    CallContext context;
    return context
        .call([&] {
          return reducer.ops<plait_reducer_ops>()->combine(
              reducer.self(), context.raw(), static_cast<uint32_t>(pointers_.size()), pointers_.data(),
              combined.bytes() / 4, combined.as<float>());
        })
        .at("combine");
  }
  std::vector<Guarded> blocks;
  Guarded combined;

 private:
  std::vector<const float*> pointers_;
};

constexpr uint64_t kCount = 53;

std::vector<std::vector<float>> draw_deltas(Dice& dice, size_t shards, uint64_t count = kCount) {
  std::vector<std::vector<float>> deltas(shards, std::vector<float>(count));
  for (auto& delta : deltas)
    for (float& value : delta) value = static_cast<float>(dice.between(-1, 1));
  return deltas;
}

template <class Check>
Status for_each_gathering(Trial& trial, Check check) {
  return for_each_reducer(trial, [&](const Instance& reducer) -> Status {
    const auto* ops = reducer.ops<plait_reducer_ops>();
    if (!PLAIT_HAS(ops, combine) || PLAIT_HAS(ops, weight)) return skipped("is linear");
    for (size_t shards :
         {1u, 2u, 3u, 5u, 8u, 70u, 300u}) {  // beyond arrays that seem large enough, and 8 bits
      const auto deltas = draw_deltas(trial.dice(), shards);
      PLAIT_TRY(check(reducer, deltas).at(fmt::format("{} shards", shards)));
    }
    return {};
  });
}

Status memory(Trial& trial) {
  return for_each_gathering(trial, [&](const Instance& reducer, const auto& deltas) -> Status {
    Gather first(deltas, 0, kCount), second(deltas, 0, kCount, Poison::kNumber);
    PLAIT_TRY(first.run(reducer));
    PLAIT_TRY(second.run(reducer));
    if (const auto text = first.combined.overrun(); !text.empty())
      return broken("writes outside its memory: " + text);
    for (size_t i = 0; i < deltas.size(); ++i)
      if (std::memcmp(first.blocks[i].data(), deltas[i].data(), kCount * 4) != 0)
        return broken(fmt::format("writes delta {}, which it is given to read", i));
    return first.combined.same_bits(second.combined)
               ? Status()
               : broken("the result depends on what its memory held before");
  });
}

Status slices(Trial& trial) {
  return for_each_gathering(trial, [&](const Instance& reducer, const auto& deltas) -> Status {
    Gather whole(deltas, 0, kCount), left(deltas, 0, 20), right(deltas, 20, kCount);
    PLAIT_TRY(whole.run(reducer));
    PLAIT_TRY(left.run(reducer));
    PLAIT_TRY(right.run(reducer));
    const bool same = std::memcmp(whole.combined.data(), left.combined.data(), 80) == 0 &&
                      std::memcmp(whole.combined.template as<float>() + 20, right.combined.data(),
                                  right.combined.bytes()) == 0;
    return same ? Status() : broken("the result differs when the deltas are cut into slices");
  });
}

// Slices that are shorter than any count of 15 bits.
Status large(Trial& trial) {
  constexpr uint64_t kLargeCount = (1 << 16) + 4441;
  int tried = 0;
  return for_each_reducer(trial, [&](const Instance& reducer) -> Status {
    const auto* ops = reducer.ops<plait_reducer_ops>();
    if (!PLAIT_HAS(ops, combine) || PLAIT_HAS(ops, weight)) return skipped("is linear");
    if (++tried > 3) return {};
    const auto deltas = draw_deltas(trial.dice(), 5, kLargeCount);
    Gather whole(deltas, 0, kLargeCount);
    PLAIT_TRY(whole.run(reducer));
    if (const auto text = whole.combined.overrun(); !text.empty())
      return broken("writes outside its memory: " + text);
    for (uint64_t begin = 0, end = 0; begin < kLargeCount; begin = end) {
      end = std::min(begin + 20011, kLargeCount);
      Gather part(deltas, begin, end);
      PLAIT_TRY(part.run(reducer));
      for (uint64_t k = begin; k < end; ++k) {
        const float got = whole.combined.as<float>()[k], wanted = part.combined.as<float>()[k - begin];
        if (std::memcmp(&got, &wanted, sizeof got) != 0)
          return broken(
              fmt::format("element {} of {} is {:.6g}, but {:.6g} when the deltas are cut into slices", k,
                          kLargeCount, got, wanted));
      }
    }
    return {};
  });
}

Status within(Trial& trial) {
  return for_each_gathering(trial, [&](const Instance& reducer, const auto& deltas) -> Status {
    Gather all(deltas, 0, kCount);
    PLAIT_TRY(all.run(reducer));
    auto turned = deltas;
    std::reverse(turned.begin(), turned.end());
    Gather other(turned, 0, kCount);
    PLAIT_TRY(other.run(reducer));
    for (uint64_t k = 0; k < kCount; ++k) {
      float low = deltas[0][k], high = deltas[0][k];
      for (const auto& delta : deltas) low = std::min(low, delta[k]), high = std::max(high, delta[k]);
      const float value = all.combined.template as<float>()[k],
                  turned_value = other.combined.template as<float>()[k];
      if (!(value >= low - 1e-6f && value <= high + 1e-6f))
        return broken(fmt::format("element {} is {}, outside its deltas' {} .. {}", k, value, low, high));
      if (std::abs(value - turned_value) > 1e-5f)
        return broken(fmt::format("element {} is {}, but {} with the shards in the other order", k, value,
                                  turned_value));
    }
    return {};
  });
}

// Weights, or slices of the deltas, on several threads.
Status concurrent(Trial& trial) {
  constexpr size_t kThreads = 4;
  return for_each_reducer(trial, [&](const Instance& reducer) -> Status {
    const auto* ops = reducer.ops<plait_reducer_ops>();
    const auto weight_of = [&](size_t n) {
      return weigh(reducer, {sizeof(plait_shard_result), 4, static_cast<uint32_t>(n), 0, 64,
                             0.5 + static_cast<double>(n)});
    };
    std::vector<std::unique_ptr<Gather>> wanted, calls;
    std::vector<int32_t> weights;
    for (size_t n = 0; n < kThreads; ++n) {
      if (PLAIT_HAS(ops, weight)) {
        PLAIT_ASSIGN(const int32_t weight, weight_of(n));
        weights.push_back(weight);
        continue;
      }
      const auto deltas = draw_deltas(trial.dice(), 3 + n);
      wanted.push_back(std::make_unique<Gather>(deltas, 0, kCount));
      calls.push_back(std::make_unique<Gather>(deltas, 0, kCount));
      PLAIT_TRY(wanted.back()->run(reducer));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      for (int i = 0; i < 200; ++i) {
        if (!weights.empty()) {
          const auto weight = weight_of(n);
          if (!weight || *weight != weights[n]) return "the weight differs";
          continue;
        }
        if (const Status status = calls[n]->run(reducer); !status) return status.message();
        if (!calls[n]->combined.same_bits(wanted[n]->combined)) return "the result differs";
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads use one instance at once");
  });
}

}  // namespace

std::vector<Law> reducer_laws() {
  return {
      {"reducer", "weight", Severity::kMust,
       "a linear reducer's weights do not depend on the loss, and the exact sum holds them", weights},
      {"reducer", "memory", Severity::kMust, "a gathering reducer writes its result, and nothing else",
       memory},
      {"reducer", "slices", Severity::kMust, "slices of the deltas are combined like the whole", slices},
      {"reducer", "large", Severity::kMust, "more than 2^16 elements are combined at every place", large},
      {"reducer", "concurrent", Severity::kMust, "one instance serves several threads at once", concurrent},
      {"reducer", "within", Severity::kShould, "the result lies among the deltas, whatever their order",
       within},
  };
}

}  // namespace plait::inline verify
