// Laws of augmenters.
#include <fmt/format.h>

#include <cmath>

#include "verify/benches/augmenter_bench.h"
#include "verify/engine/heap.h"

namespace plait::inline verify {
namespace {

template <class Check>
Status for_each_bench(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 8));
  int tried = 0;
  std::string refusal;
  for (const Example& one : configs) {
    for (const Parts& parts : parts_for(one)) {
      auto bench = make_augmenter_bench(trial, one, parts);
      if (!bench && !is_refusal(bench.status())) return bench.status().at("infer or create");
      if (!bench) {
        refusal = bench.status().message();
        continue;
      }
      trial.doing("apply, " + bench->text());
      PLAIT_TRY(check(*bench).at(bench->text()));
      ++tried;
    }
  }
  if (tried == 0)
    return skipped("no parts found that the augmenter accepts (it last said: " + refusal +
                   "); give an example (plait/verify.h)");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

Status apply(const AugmenterBench& bench, AugmenterSample& sample, uint64_t key, CallContext& context) {
  const plait_sample_call call = sample.call(key);
  return context.call([&] { return bench.ops().apply(bench.instance.self(), context.raw(), &call); })
      .at("apply");
}

Status memory(Trial& trial) {
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    for (uint64_t key = 0; key < 20; ++key) {
      AugmenterSample first(bench.in, bench.out, Dice(key, "m"), Poison::kNan, bench.bound, bench.workspace),
          second(bench.in, bench.out, Dice(key, "m"), Poison::kNumber, bench.bound, bench.workspace);
      PLAIT_TRY(apply_augmenter(bench, first, key));
      PLAIT_TRY(first.check_memory());
      PLAIT_TRY(apply_augmenter(bench, second, key));
      if (const auto what = first.difference(second); !what.empty())
        return broken(what +
                      " depends on what its memory, or memory around it, held before: not all of it is "
                      "written, or too much is read");
    }
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    constexpr uint64_t kSamples = 6;
    std::vector<std::unique_ptr<AugmenterSample>> wanted;
    for (uint64_t n = 0; n < kSamples; ++n) {
      wanted.push_back(std::make_unique<AugmenterSample>(bench.in, bench.out, Dice(n, "s"), Poison::kNan,
                                                         bench.bound, bench.workspace));
      PLAIT_TRY(apply_augmenter(bench, *wanted.back(), n));
    }
    for (uint64_t n = kSamples; n-- > 0;) {
      AugmenterSample again(bench.in, bench.out, Dice(n, "s"), Poison::kNan, bench.bound, bench.workspace);
      PLAIT_TRY(apply_augmenter(bench, again, n));
      if (const auto what = wanted[n]->difference(again); !what.empty())
        return broken(what +
                      " differs for the same sample and random numbers in another order: there is randomness "
                      "besides the call's, or a state");
    }
    return {};
  });
}

Status concurrent(Trial& trial) {
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    constexpr size_t kThreads = 4;
    std::vector<std::unique_ptr<AugmenterSample>> wanted;
    for (size_t n = 0; n < kThreads; ++n) {
      wanted.push_back(std::make_unique<AugmenterSample>(bench.in, bench.out, Dice(n, "c"), Poison::kNan,
                                                         bench.bound, bench.workspace));
      PLAIT_TRY(apply_augmenter(bench, *wanted.back(), n));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      AugmenterSample again(bench.in, bench.out, Dice(n, "c"), Poison::kNan, bench.bound, bench.workspace);
      for (int i = 0; i < 300; ++i) {
        if (const Status status = apply_augmenter(bench, again, n); !status) return status.message();
        if (const auto what = wanted[n]->difference(again); !what.empty()) return what + " differs";
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads apply one instance at once");
  });
}

// The same batch several times, in other memory.
Status check_batch(const AugmenterBench& bench, int64_t samples, uint64_t key) {
  std::vector<std::unique_ptr<AugmenterSample>> runs;
  for (Poison poison : {Poison::kNan, Poison::kNumber, Poison::kNan}) {
    PLAIT_ASSIGN(auto batch, make_batch(bench, samples, key, poison));
    runs.push_back(std::move(batch));
    const plait_sample_call call = batch_call(*runs.back(), key);
    CallContext context;
    PLAIT_TRY(
        context.call([&] { return bench.ops().apply_batch(bench.instance.self(), context.raw(), &call); })
            .at("apply_batch"));
    PLAIT_TRY(runs.back()->check_memory().at("apply_batch"));
  }
  for (size_t i = 1; i < runs.size(); ++i)
    if (const auto what = runs[0]->difference(*runs[i]); !what.empty())
      return broken("apply_batch: " + what + " differs for the same batch and random numbers");
  return {};
}

Status batches(Trial& trial) {
  const plait_augmenter_ops* ops = &trial.ops<plait_augmenter_ops>();
  if (!PLAIT_HAS(ops, apply_batch)) return skipped("does not work on batches");
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    for (uint64_t key = 0; key < 10; ++key) PLAIT_TRY(check_batch(bench, 5, key));
    // One sample, and more than arrays that seem large enough or 8 bits hold.
    for (const int64_t samples : {1, 2, 70, 300})
      PLAIT_TRY(check_batch(bench, samples, 10).at(fmt::format("{} samples", samples)));
    return {};
  });
}

Status fits(Trial& trial) {
  const auto& ops = trial.ops<plait_augmenter_ops>();
  if (!wants_fit(ops)) return skipped("wants no pass over the data");
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    PLAIT_ASSIGN(const auto whole, fit_augmenter(ops, *bench.config, bench.in, 0, 9, bench.bound));
    PLAIT_ASSIGN(const auto left, fit_augmenter(ops, *bench.config, bench.in, 0, 4, bench.bound));
    PLAIT_ASSIGN(const auto right, fit_augmenter(ops, *bench.config, bench.in, 4, 9, bench.bound));
    for (size_t i = 0; i < whole.size(); ++i) {
      const double sum = left[i] + right[i];
      if (std::abs(sum - whole[i]) > 1e-9 * std::abs(whole[i]) + 1e-12)
        return broken(
            fmt::format("fit states do not merge by addition: number {} is {} in one go, {} in two parts", i,
                        whole[i], sum));
    }
    return {};
  });
}

Status leaks_nothing(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    constexpr int kTimes = 50;
    const Example one{bench.config, bench.in, 0, bench.bound};
    PLAIT_TRY(make_augmenter_bench(trial, one, bench.in).status());
    const int64_t before = heap_watch()->live_blocks();
    for (int i = 0; i < kTimes; ++i) static_cast<void>(make_augmenter_bench(trial, one, bench.in));
    const int64_t left = heap_watch()->live_blocks() - before;
    return left < kTimes
               ? Status()
               : broken(fmt::format("leaks: {} blocks more after {} times create and destroy", left, kTimes));
  });
}

Status no_allocation(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    AugmenterSample sample(bench.in, bench.out, Dice(3, "a"), Poison::kNan, bench.bound, bench.workspace);
    CallContext context;
    for (uint64_t key = 0; key < 3; ++key) PLAIT_TRY(apply(bench, sample, key, context));
    const uint64_t before = heap_watch()->allocations();
    Status status;
    for (uint64_t key = 3; key < 30 && status; ++key) status = apply(bench, sample, key, context);
    const uint64_t asked = heap_watch()->allocations() - before;
    PLAIT_TRY(status);
    return asked == 0 ? Status() : broken(fmt::format("allocates {} blocks in 27 calls", asked));
  });
}

}  // namespace

std::vector<Law> augmenter_laws() {
  constexpr const char* kKind = "augmenter";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "memory", kMust, "writes all of its outputs and nothing else", memory},
      {kKind, "same_again", kMust, "a sample and its random numbers decide, not the order", same_again},
      {kKind, "concurrent", kMust, "one instance serves several threads at once", concurrent},
      {kKind, "batch", kMust, "the same for whole batches", batches},
      {kKind, "fit", kMust, "what it learns of the data adds up from parts", fits},
      {kKind, "no_leak", kMust, "create and destroy leave nothing behind", leaks_nothing},
      {kKind, "no_allocation", kMust, "a sample allocates nothing", no_allocation},
  };
}

}  // namespace plait::inline verify
