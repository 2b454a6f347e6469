// Laws of augmenters.
#include <fmt/format.h>

#include <cmath>

#include "plan/shape_text.h"
#include "verify/config_samples.h"
#include "verify/heap.h"
#include "verify/law.h"
#include "verify/samples.h"

namespace plait {
namespace {

using Parts = std::vector<PartSpec>;

const std::vector<Parts>& usual_parts() {
  static const std::vector<Parts> all = {
      {{"image", PLAIT_F32, {12, 10, 3}, -1}, {"label", PLAIT_I32, {}, -1}},
      {{"image", PLAIT_U8, {12, 10, 3}, -1}, {"label", PLAIT_I32, {}, -1}},
      {{"image", PLAIT_F32, {9, 9, 1}, -1}, {"label", PLAIT_F32, {4}, -1}},
      {{"image", PLAIT_U8, {28, 28, 1}, -1}, {"label", PLAIT_U8, {}, -1}},
      {{"sound", PLAIT_F32, {64, 1}, -1}, {"label", PLAIT_I32, {}, -1}},
      {{"features", PLAIT_F32, {7}, -1}, {"label", PLAIT_F32, {1}, -1}},
      {{"image", PLAIT_F32, {8, 8, 3}, -1},
       {"mask", PLAIT_U8, {8, 8}, -1},
       {"boxes", PLAIT_F32, {3, 4}, -1},
       {"keypoints", PLAIT_F32, {5, 2}, -1},
       {"label", PLAIT_I32, {}, -1}},
      {{"text", PLAIT_I32, {16}, 0}, {"label", PLAIT_I32, {}, -1}},
  };
  return all;
}

Parts batched(Parts parts, int64_t n) {
  for (PartSpec& part : parts) part.shape.insert(part.shape.begin(), n);
  return parts;
}

struct AugmenterBench {
  std::shared_ptr<plait_config> config;
  Parts in, out;
  Instance instance;
  std::string text() const {
    std::string text = config_text(*config);
    for (const PartSpec& part : in) text += ", " + part_text(part);
    return text;
  }
  const plait_augmenter_ops& ops() const { return *instance.ops<plait_augmenter_ops>(); }
};

// Tensors of one call.
class Sample {
 public:
  Sample(const Parts& in, const Parts& out, Dice dice, Poison poison) : lengths_(out.size(), 0) {
    for (const PartSpec& part : in) {
      inputs.push_back(std::make_unique<SampleTensor>(part, poison));
      const bool picture = part.dtype == PLAIT_U8 && element_count(part.shape) > 1;
      inputs.back()->draw(dice, 0, 1, picture ? 256 : 2);
    }
    for (const PartSpec& part : out) outputs.push_back(std::make_unique<SampleTensor>(part, poison));
    for (const auto& one : inputs)
      in_.push_back(one->raw()), copies_.emplace_back(one->memory().as<uint8_t>(),
                                                      one->memory().as<uint8_t>() + one->memory().bytes());
    for (const auto& one : outputs) out_.push_back(one->raw());
  }
  plait_sample_call call(uint64_t key, bool training = true) {
    plait_sample_call c{};
    c.struct_size = sizeof c;
    c.n_inputs = static_cast<uint32_t>(in_.size()), c.n_outputs = static_cast<uint32_t>(out_.size());
    c.inputs = in_.data(), c.outputs = out_.data();
    c.lengths_out = lengths_.data();
    c.training = training;
    c.rng = {key, 5};
    return c;
  }
  Status check_memory() const {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Guarded& memory = inputs[i]->memory();
      if (const auto text = memory.overrun(); !text.empty())
        return broken(
            fmt::format("writes outside part \"{}\" of its input: {}", inputs[i]->spec().name, text));
      if (!copies_[i].empty() && std::memcmp(memory.data(), copies_[i].data(), copies_[i].size()) != 0)
        return broken(fmt::format("writes its input \"{}\"", inputs[i]->spec().name));
    }
    for (const auto& one : outputs)
      if (const auto text = one->memory().overrun(); !text.empty())
        return broken(fmt::format("writes outside its output \"{}\": {}", one->spec().name, text));
    return {};
  }
  // Bytes of variable parts behind their length mean nothing.
  std::string difference(const Sample& other) const {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (lengths_[i] != other.lengths_[i])
        return fmt::format("length of output \"{}\"", outputs[i]->spec().name);
      uint64_t bytes = outputs[i]->memory().bytes();
      const PartSpec& spec = outputs[i]->spec();
      if (spec.variable_axis == 0 && spec.shape[0] > 0)
        bytes =
            bytes / static_cast<uint64_t>(spec.shape[0]) * static_cast<uint64_t>(std::max(lengths_[i], 0));
      if (spec.variable_axis > 0) continue;
      if (bytes > 0 &&
          std::memcmp(outputs[i]->memory().data(), other.outputs[i]->memory().data(), bytes) != 0)
        return fmt::format("output \"{}\"", spec.name);
    }
    return "";
  }

  std::vector<std::unique_ptr<SampleTensor>> inputs, outputs;

 private:
  std::vector<const plait_tensor*> in_, out_;
  std::vector<std::vector<uint8_t>> copies_;
  std::vector<int32_t> lengths_;
};

// A pass over some samples, for those that want one.
Result<std::vector<double>> fit(const plait_augmenter_ops& ops, const plait_config& config,
                                const Parts& parts, int begin, int end) {
  const RawParts raw(parts);
  CallContext context;
  std::vector<double> state(ops.fit_size(context.raw(), &config, raw.size(), raw.data()));
  for (int n = begin; n < end; ++n) {
    Dice own(static_cast<uint64_t>(n), "fit");
    Sample sample(parts, {}, own, Poison::kNan);
    const plait_sample_call call = sample.call(0);
    PLAIT_TRY(context.call([&] { return ops.fit_observe(context.raw(), &config, &call, state.data()); })
                  .at("fit_observe"));
  }
  return state;
}

bool wants_fit(const plait_augmenter_ops& ops) {
  const plait_augmenter_ops* table = &ops;
  return PLAIT_HAS(table, fit_size) && PLAIT_HAS(table, fit_observe);
}

Result<AugmenterBench> make_bench(Trial& trial, const Example& one, const Parts& parts) {
  AugmenterBench bench{one.config, parts, {}, {}};
  trial.doing("infer, " + bench.text());
  CallContext context;
  PLAIT_ASSIGN(bench.out, infer_augmenter(trial.entry(), *one.config, parts, context));
  const auto& ops = trial.ops<plait_augmenter_ops>();
  std::vector<double> state;
  plait_fit fitted{sizeof(plait_fit), 0, nullptr};
  if (wants_fit(ops)) {
    PLAIT_ASSIGN(state, fit(ops, *one.config, parts, 0, 8));
    fitted.size = static_cast<uint32_t>(state.size()), fitted.state = state.data();
    context.set_fit(&fitted);
  }
  trial.doing("create, " + bench.text());
  PLAIT_ASSIGN(bench.instance,
               create_augmenter(trial.registry(), trial.entry(), *one.config, parts, context));
  return bench;
}

template <class Check>
Status for_each_bench(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 8));
  int tried = 0;
  std::string refusal;
  for (const Example& one : configs) {
    const std::vector<Parts> own = {one.inputs};
    for (const Parts& parts : one.inputs.empty() ? usual_parts() : own) {
      auto bench = make_bench(trial, one, parts);
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

Status apply(const AugmenterBench& bench, Sample& sample, uint64_t key, CallContext& context) {
  const plait_sample_call call = sample.call(key);
  return context.call([&] { return bench.ops().apply(bench.instance.self(), context.raw(), &call); })
      .at("apply");
}

Status apply(const AugmenterBench& bench, Sample& sample, uint64_t key) {
  CallContext context;
  return apply(bench, sample, key, context);
}

Status memory(Trial& trial) {
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    for (uint64_t key = 0; key < 20; ++key) {
      Sample first(bench.in, bench.out, Dice(key, "m"), Poison::kNan),
          second(bench.in, bench.out, Dice(key, "m"), Poison::kNumber);
      PLAIT_TRY(apply(bench, first, key));
      PLAIT_TRY(first.check_memory());
      PLAIT_TRY(apply(bench, second, key));
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
    std::vector<std::unique_ptr<Sample>> wanted;
    for (uint64_t n = 0; n < kSamples; ++n) {
      wanted.push_back(std::make_unique<Sample>(bench.in, bench.out, Dice(n, "s"), Poison::kNan));
      PLAIT_TRY(apply(bench, *wanted.back(), n));
    }
    for (uint64_t n = kSamples; n-- > 0;) {
      Sample again(bench.in, bench.out, Dice(n, "s"), Poison::kNan);
      PLAIT_TRY(apply(bench, again, n));
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
    std::vector<std::unique_ptr<Sample>> wanted;
    for (size_t n = 0; n < kThreads; ++n) {
      wanted.push_back(std::make_unique<Sample>(bench.in, bench.out, Dice(n, "c"), Poison::kNan));
      PLAIT_TRY(apply(bench, *wanted.back(), n));
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      Sample again(bench.in, bench.out, Dice(n, "c"), Poison::kNan);
      for (int i = 0; i < 300; ++i) {
        if (const Status status = apply(bench, again, n); !status) return status.message();
        if (const auto what = wanted[n]->difference(again); !what.empty()) return what + " differs";
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads apply one instance at once");
  });
}

Status batches(Trial& trial) {
  const plait_augmenter_ops* ops = &trial.ops<plait_augmenter_ops>();
  if (!PLAIT_HAS(ops, apply_batch)) return skipped("does not work on batches");
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    const Parts in = batched(bench.in, 5), out = batched(bench.out, 5);
    for (uint64_t key = 0; key < 10; ++key) {
      std::vector<std::unique_ptr<Sample>> runs;
      for (Poison poison : {Poison::kNan, Poison::kNumber, Poison::kNan}) {
        runs.push_back(std::make_unique<Sample>(in, out, Dice(key, "b"), poison));
        const plait_sample_call call = runs.back()->call(key);
        CallContext context;
        PLAIT_TRY(
            context.call([&] { return bench.ops().apply_batch(bench.instance.self(), context.raw(), &call); })
                .at("apply_batch"));
        PLAIT_TRY(runs.back()->check_memory().at("apply_batch"));
      }
      for (size_t i = 1; i < runs.size(); ++i)
        if (const auto what = runs[0]->difference(*runs[i]); !what.empty())
          return broken("apply_batch: " + what + " differs for the same batch and random numbers");
    }
    return {};
  });
}

Status fits(Trial& trial) {
  const auto& ops = trial.ops<plait_augmenter_ops>();
  if (!wants_fit(ops)) return skipped("wants no pass over the data");
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    PLAIT_ASSIGN(const auto whole, fit(ops, *bench.config, bench.in, 0, 9));
    PLAIT_ASSIGN(const auto left, fit(ops, *bench.config, bench.in, 0, 4));
    PLAIT_ASSIGN(const auto right, fit(ops, *bench.config, bench.in, 4, 9));
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
    const Example one{bench.config, bench.in, 0, 0};
    PLAIT_TRY(make_bench(trial, one, bench.in).status());
    const int64_t before = heap_watch()->live_blocks();
    for (int i = 0; i < kTimes; ++i) static_cast<void>(make_bench(trial, one, bench.in));
    const int64_t left = heap_watch()->live_blocks() - before;
    return left < kTimes
               ? Status()
               : broken(fmt::format("leaks: {} blocks more after {} times create and destroy", left, kTimes));
  });
}

Status no_allocation(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  return for_each_bench(trial, [&](const AugmenterBench& bench) -> Status {
    Sample sample(bench.in, bench.out, Dice(3, "a"), Poison::kNan);
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

}  // namespace plait
