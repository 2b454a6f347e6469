// Augmenters, sources, pretrainers and devices as workers.
#include <fmt/format.h>

#include <functional>

#include "verify/benches/augmenter_bench.h"
#include "verify/benches/pretrainer_bench.h"
#include "verify/benches/source_bench.h"
#include "verify/benches/worker.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

// One sample under three keys, a batch where it works on batches, and the pass over the data where it wants
// one.
class AugmenterWorker final : public Worker {
 public:
  static Result<std::unique_ptr<Worker>> create(AugmenterBench bench, Dice& dice) {
    auto worker = std::make_unique<AugmenterWorker>(std::move(bench), dice);
    const plait_augmenter_ops* ops = &worker->bench_.ops();
    if (PLAIT_HAS(ops, apply_batch)) {
      PLAIT_ASSIGN(worker->batch_, make_batch(worker->bench_, 3, 9, Poison::kNan));
      worker->own_sample("batched ", *worker->batch_);
    }
    return std::unique_ptr<Worker>(std::move(worker));
  }
  AugmenterWorker(AugmenterBench bench, Dice& dice)
      : bench_(std::move(bench)), fit_(fit_size() * sizeof(double), Poison::kNan) {
    for (int i = 0; i < kKeys; ++i)
      samples_.push_back(std::make_unique<AugmenterSample>(bench_.in, bench_.out, draw(dice), Poison::kNan,
                                                           bench_.bound, bench_.workspace));
    for (const auto& sample : samples_) own_sample("", *sample);
    for (uint64_t k = 0; k < fit_.bytes() / 8; ++k) fit_.as<double>()[k] = 0;
    own("fit state", fit_, PLAIT_F64, Role::kState);
  }
  std::string text() const override { return bench_.text(); }
  CallContext& context() override { return context_; }

 private:
  static constexpr int kKeys = 3;
  static Dice draw(Dice& dice) { return Dice(dice.bits(), "sample"); }

  void own_sample(const std::string& what, AugmenterSample& sample) {
    for (const auto& input : sample.inputs)
      own(fmt::format("{}input \"{}\"", what, input->spec().name), input->memory(), input->spec().dtype,
          Role::kRead);
    for (const auto& output : sample.outputs)
      own(fmt::format("{}output \"{}\"", what, output->spec().name), output->memory(), output->spec().dtype,
          Role::kWritten);
    own(what + "lengths", sample.lengths, PLAIT_I32, Role::kScratch);
  }
  uint64_t fit_size() {
    if (!wants_fit(bench_.ops())) return 0;
    const RawParts raw(bench_.in);
    return bench_.ops().fit_size(context_.raw(), bench_.config.get(), raw.size(), raw.data());
  }
  Status calls() override {
    for (int key = 0; key < kKeys; ++key) {
      const plait_sample_call call = samples_[static_cast<size_t>(key)]->call(static_cast<uint64_t>(key));
      PLAIT_TRY(
          context_.call([&] { return bench_.ops().apply(bench_.instance.self(), context_.raw(), &call); })
              .at("apply"));
    }
    if (batch_ != nullptr) {
      const plait_sample_call call = batch_call(*batch_, 9);
      PLAIT_TRY(
          context_
              .call([&] { return bench_.ops().apply_batch(bench_.instance.self(), context_.raw(), &call); })
              .at("apply_batch"));
    }
    if (fit_.bytes() == 0) return {};
    const plait_sample_call call = samples_[0]->call(0);
    return context_
        .call([&] {
          return bench_.ops().fit_observe(context_.raw(), bench_.config.get(), &call, fit_.as<double>());
        })
        .at("fit_observe");
  }

  AugmenterBench bench_;
  CallContext context_;
  Guarded fit_;
  std::vector<std::unique_ptr<AugmenterSample>> samples_;
  std::unique_ptr<AugmenterSample> batch_;
};

// Some records, in order.
class SourceWorker final : public Worker {
 public:
  SourceWorker(Instance source, const SourceDescription& described) : source_(std::move(source)) {
    for (int64_t n = 0; n < 4; ++n) places_.push_back(n * std::max<int64_t>(described.records - 1, 0) / 3);
    for (int64_t place : places_) {
      records_.push_back(std::make_unique<SourceRecord>(described, Poison::kNan));
      for (const auto& part : records_.back()->parts)
        own(fmt::format("part \"{}\" of record {}", part->spec().name, place), part->memory(),
            part->spec().dtype, Role::kWritten);
      own("lengths", records_.back()->lengths, PLAIT_I32, Role::kScratch);
    }
  }
  std::string text() const override { return config_text(source_.config()); }
  CallContext& context() override { return context_; }

 private:
  Status calls() override {
    for (size_t i = 0; i < places_.size(); ++i) PLAIT_TRY(records_[i]->read(source_, places_[i], context_));
    return {};
  }
  Instance source_;
  std::vector<int64_t> places_;
  std::vector<std::unique_ptr<SourceRecord>> records_;
  CallContext context_;
};

// All stages for a toy network; their text is as one number.
class PretrainerWorker final : public Worker {
 public:
  PretrainerWorker(const Registry& registry, Instance pretrainer, const ToyNetwork& toy)
      : registry_(registry),
        pretrainer_(std::move(pretrainer)),
        toy_(toy),
        result_(sizeof(uint64_t), Poison::kNan) {
    own("stages", result_, PLAIT_I64, Role::kWritten);
  }
  std::string text() const override { return config_text(pretrainer_.config()); }
  CallContext& context() override { return context_; }

 private:
  Status calls() override {
    PLAIT_ASSIGN(const auto stages, all_stages(registry_, pretrainer_, toy_, context_));
    uint64_t number = stages.size();
    for (const auto& [title, text] : stages)
      number = number * 31 + std::hash<std::string>()(title) + 7 * std::hash<std::string>()(text);
    *result_.as<uint64_t>() = number;
    return {};
  }
  const Registry& registry_;
  Instance pretrainer_;
  const ToyNetwork& toy_;
  Guarded result_;
  CallContext context_;
};

// Copies and sums in a row on one stream.
class DeviceWorker final : public Worker {
 public:
  static Result<std::unique_ptr<Worker>> create(Trial& trial, const plait_config& config) {
    auto worker = std::make_unique<DeviceWorker>();
    worker->text_ = config_text(config);
    PLAIT_ASSIGN(worker->device_, Device::open(trial.registry(), trial.entry(), config));
    PLAIT_ASSIGN(worker->stream_, Stream::create(*worker->device_, 1, nullptr));
    PLAIT_ASSIGN(worker->a_, DeviceMemory::allocate(*worker->stream_, kBytes));
    PLAIT_ASSIGN(worker->b_, DeviceMemory::allocate(*worker->stream_, kBytes));
    for (uint64_t k = 0; k < kBytes / 4; ++k)
      worker->in_.as<float>()[k] = static_cast<float>(trial.dice().between(-1, 1));
    worker->own("host memory copied in", worker->in_, PLAIT_F32, Role::kRead);
    worker->own("what is copied out", worker->out_, PLAIT_F32, Role::kWritten);
    return std::unique_ptr<Worker>(std::move(worker));
  }
  std::string text() const override { return text_; }
  CallContext& context() override { return stream_->context(); }

 private:
  static constexpr uint64_t kBytes = 40004;
  Status calls() override {
    Stream& stream = *stream_;
    const plait_device_ops& ops = device_->ops();
    PLAIT_TRY(stream.copy_in(a_.data(), in_.data(), kBytes));
    PLAIT_TRY(stream.copy(b_.data(), a_.data(), kBytes));
    PLAIT_TRY(stream.context().call([&] {
      return ops.add_f32(device_->self(), stream.context().raw(), static_cast<float*>(b_.data()),
                         static_cast<const float*>(a_.data()), kBytes / 4);
    }));
    PLAIT_TRY(stream.copy_out(out_.data(), b_.data(), kBytes));
    return stream.synchronize();
  }
  std::string text_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  DeviceMemory a_, b_;
  Guarded in_{kBytes, Poison::kNan}, out_{kBytes, Poison::kNan};
};

}  // namespace

Result<Workers> augmenter_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, std::max<size_t>(count, 8)));
  Workers workers;
  std::string refusal;
  for (const Example& one : configs) {
    for (const Parts& parts : parts_for(one)) {
      if (workers.size() >= 2 * count) break;
      auto bench = make_augmenter_bench(trial, one, parts);
      if (!bench) {
        refusal = bench.status().message();
        continue;
      }
      PLAIT_ASSIGN(auto worker, AugmenterWorker::create(std::move(*bench), trial.dice()));
      workers.push_back(std::move(worker));
    }
  }
  if (workers.empty()) return skipped("no parts found that the augmenter accepts: " + refusal);
  return workers;
}

Result<Workers> source_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  Workers workers;
  std::string refusal;
  for (const Example& one : configs) {
    trial.doing("create, " + config_text(*one.config));
    CallContext context;
    auto opened =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!opened) {
      refusal = opened.status().message();
      continue;
    }
    PLAIT_ASSIGN(const auto described, describe_source(*opened, context, kMostRecordsTried));
    workers.push_back(std::make_unique<SourceWorker>(std::move(*opened), described));
  }
  if (workers.empty()) return skipped("no source opens with what can be guessed: " + refusal);
  return workers;
}

Result<Workers> pretrainer_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(const ToyNetwork* toy, toy_network(trial));
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  Workers workers;
  for (const Example& one : configs) {
    trial.doing("create, " + config_text(*one.config));
    CallContext context;
    auto made =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!made || !all_stages(trial.registry(), *made, *toy, context)) continue;
    workers.push_back(std::make_unique<PretrainerWorker>(trial.registry(), std::move(*made), *toy));
  }
  if (workers.empty())
    return skipped("the network that the kit makes suits no configuration that it guesses");
  return workers;
}

Result<Workers> device_workers(Trial& trial, size_t count, int) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, count));
  Workers workers;
  std::string refusal;
  for (const Example& one : configs) {
    auto worker = DeviceWorker::create(trial, *one.config);
    if (!worker)
      refusal = worker.status().message();
    else
      workers.push_back(std::move(*worker));
  }
  if (workers.empty()) return skipped("does not open: " + refusal);
  return workers;
}

}  // namespace plait::inline verify
