// Laws of augmenters on a device, beside what the type's implementation for the host makes of each sample.
#include <algorithm>
#include <cmath>

#include "verify/benches/augmenter_bench.h"

namespace plait::inline verify {
namespace {

bool varies(const Parts& parts) {
  return std::ranges::any_of(parts, [](const PartSpec& part) { return part.varies(); });
}

// An instance on the device for what a bench of the host is made for.
struct AugmenterThere {
  const plait_augmenter_ops* ops = nullptr;
  void* self = nullptr;
  AugmenterThere() = default;
  AugmenterThere(const AugmenterThere&) = delete;
  AugmenterThere& operator=(const AugmenterThere&) = delete;
  ~AugmenterThere() {
    if (self != nullptr) ops->destroy(self);
  }
  Status create(Trial& trial, const AugmenterBench& bench) {
    ops = &trial.ops<plait_augmenter_ops>();
    CallContext context;
    context.set_device(&trial.device()->ops(), trial.device()->self(), nullptr);
    std::vector<double> state;
    plait_fit fit{sizeof(plait_fit), 0, nullptr};
    if (wants_fit(bench.ops())) {
      PLAIT_ASSIGN(state, fit_augmenter(bench.ops(), *bench.config, bench.in, 0, 8, bench.bound));
      fit.size = static_cast<uint32_t>(state.size()), fit.state = state.data();
      context.set_fit(&fit);
    }
    const RawParts raw(bench.in);
    return context.call(
        [&] { return ops->create(context.raw(), &bench.instance.config(), raw.size(), raw.data(), &self); });
  }
  Result<uint64_t> workspace(Trial& trial, int64_t batch) const {
    uint64_t bytes = 0;
    if (!PLAIT_HAS(ops, workspace)) return bytes;
    CallContext context;
    context.set_device(&trial.device()->ops(), trial.device()->self(), nullptr);
    PLAIT_TRY(
        context.call([&] { return ops->workspace(self, context.raw(), batch, &bytes); }).at("workspace"));
    return bytes;
  }
};

// A batch for the device, with its twin there.
class BatchThere {
 public:
  BatchThere(const Parts& in, const Parts& out, int64_t batch, uint64_t workspace)
      : rngs_(static_cast<uint64_t>(batch) * sizeof(plait_rng), Poison::kNan),
        workspace_(workspace, Poison::kNan) {
    for (const PartSpec& part : in)
      inputs.push_back(std::make_unique<SampleTensor>(with_batch(part, batch), Poison::kNan));
    for (const PartSpec& part : out)
      outputs.push_back(std::make_unique<SampleTensor>(with_batch(part, batch), Poison::kNan));
    written.resize(out.size());
  }
  void put(const AugmenterSample& sample, uint64_t place, plait_rng rng) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const uint64_t bytes = sample.inputs[i]->memory().bytes();
      if (bytes > 0)
        std::memcpy(inputs[i]->memory().as<uint8_t>() + place * bytes, sample.inputs[i]->memory().data(),
                    bytes);
    }
    rngs_.as<plait_rng>()[place] = rng;
  }
  Status apply(Trial& trial, const AugmenterThere& augmenter) {
    PLAIT_ASSIGN(const auto side, DeviceSide::create(trial.device()));
    std::vector<const plait_tensor*> in, out;
    std::vector<Guarded> before;
    for (const auto& one : inputs) {
      PLAIT_TRY(one->lend_to(*side));
      in.push_back(one->raw());
      before.emplace_back(one->memory().bytes(), Poison::kNan);
      before.back().write(one->memory().data(), one->memory().bytes());
    }
    for (const auto& one : outputs) {
      PLAIT_TRY(one->lend_to(*side));
      out.push_back(one->raw());
    }
    PLAIT_TRY(side->lend(rngs_));
    PLAIT_TRY(side->lend(workspace_));
    plait_sample_call call{};
    call.struct_size = sizeof call;
    call.n_inputs = static_cast<uint32_t>(in.size()), call.n_outputs = static_cast<uint32_t>(out.size());
    call.inputs = in.data(), call.outputs = out.data();
    call.training = 1;
    call.rngs = rngs_.given_as<plait_rng>();
    call.workspace = workspace_.given();
    call.written = written.data();
    CallContext context;
    side->serve(context);
    PLAIT_TRY(side->around(context,
                           [&] { return augmenter.ops->apply_samples(augmenter.self, context.raw(), &call); })
                  .at("apply_samples"));
    for (size_t i = 0; i < inputs.size(); ++i)
      if (!before[i].same_bits(inputs[i]->memory()))
        return broken(fmt::format("writes its input \"{}\" on the device", inputs[i]->spec().name));
    return check_guards();
  }

  std::vector<std::unique_ptr<SampleTensor>> inputs, outputs;
  std::vector<uint8_t> written;

 private:
  Status check_guards() const {
    for (const auto* list : {&inputs, &outputs})
      for (const auto& one : *list)
        if (const std::string text = one->memory().overrun(); !text.empty())
          return broken(fmt::format("writes outside part \"{}\" on the device: {}", one->spec().name, text));
    if (const std::string text = rngs_.overrun(); !text.empty())
      return broken("writes outside its random numbers on the device: " + text);
    if (const std::string text = workspace_.overrun(); !text.empty())
      return broken("writes outside its workspace on the device: " + text);
    return {};
  }
  Guarded rngs_, workspace_;
};

// What the host passes on: the bytes that came in by the name.
Result<const uint8_t*> bytes_there(const BatchThere& batch, size_t output, uint64_t place, uint64_t bytes) {
  const SampleTensor& out = *batch.outputs[output];
  if (batch.written[output] != 0) return out.memory().as<uint8_t>() + place * bytes;
  for (const auto& in : batch.inputs)
    if (in->spec() == out.spec())
      return static_cast<const uint8_t*>(in->memory().as<uint8_t>() + place * bytes);
  return broken(
      fmt::format("does not write output \"{}\", and no part comes in that is like it", out.spec().name));
}

// Whole numbers are equal. Of f32 some operations may be rounded otherwise (a product and a sum in one): 16
// units in the last place of the sample's largest number.
Status compare(const SampleTensor& wanted, const uint8_t* got, uint64_t place) {
  const auto what = [&](uint64_t k, double is, double should) {
    return broken(fmt::format(
        "sample {}: element {} of output \"{}\" is {} on the device, {} on the host, for the same sample and "
        "random numbers",
        place, k, wanted.spec().name, is, should));
  };
  const uint64_t bytes = wanted.memory().bytes();
  if (bytes == 0 || std::memcmp(wanted.memory().data(), got, bytes) == 0) return {};
  if (wanted.spec().dtype != PLAIT_F32) return what(0, got[0], wanted.memory().as<uint8_t>()[0]);
  const auto* is = reinterpret_cast<const float*>(got);
  const auto* should = wanted.memory().as<float>();
  const uint64_t count = bytes / sizeof(float);
  float largest = 0;
  for (uint64_t k = 0; k < count; ++k) largest = std::max(largest, std::abs(should[k]));
  for (uint64_t k = 0; k < count; ++k)
    if (!(std::abs(is[k] - should[k]) <= 0x1p-20f * largest)) return what(k, is[k], should[k]);
  return {};
}

Status check_batch(Trial& trial, const AugmenterBench& bench, const AugmenterThere& there, int64_t samples) {
  PLAIT_ASSIGN(const uint64_t workspace, there.workspace(trial, samples));
  BatchThere batch(bench.in, bench.out, samples, workspace);
  std::vector<std::unique_ptr<AugmenterSample>> wanted;
  for (uint64_t n = 0; n < static_cast<uint64_t>(samples); ++n) {
    wanted.push_back(std::make_unique<AugmenterSample>(bench.in, bench.out, Dice(n, "on device"),
                                                       Poison::kNan, bench.bound, bench.workspace));
    const uint64_t key = 1000 + 7 * n;
    batch.put(*wanted.back(), n, wanted.back()->call(key).rng);
    PLAIT_TRY(apply_augmenter(bench, *wanted.back(), key));
  }
  PLAIT_TRY(batch.apply(trial, there));
  for (size_t i = 0; i < batch.outputs.size(); ++i)
    for (uint64_t n = 0; n < wanted.size(); ++n) {
      const SampleTensor& host = *wanted[n]->outputs[i];
      PLAIT_ASSIGN(const uint8_t* const got, bytes_there(batch, i, n, host.memory().bytes()));
      PLAIT_TRY(compare(host, got, n));
    }
  return {};
}

Status same_samples(Trial& trial) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 8));
  int tried = 0;
  std::string refusal;
  for (const Example& one : configs) {
    for (const Parts& parts : parts_for(one)) {
      auto bench = make_augmenter_bench(trial, one, parts);
      if (!bench || bench->ops().apply == nullptr || varies(bench->in) || varies(bench->out)) continue;
      AugmenterThere there;
      trial.doing("create on the device, " + bench->text());
      const Status made = there.create(trial, *bench);
      if (made.code() == Code::kUnsupported) {
        refusal = made.message();
        continue;
      }
      PLAIT_TRY(made.at("create on the device, " + bench->text()));
      trial.doing("apply_samples, " + bench->text());
      for (const int64_t samples : {1, 5, 64})
        PLAIT_TRY(check_batch(trial, *bench, there, samples).at(bench->text()));
      ++tried;
    }
  }
  if (tried == 0)
    return skipped("no parts found that host and device accept (it last said: " + refusal + ")");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> augmenter_on_device_laws() {
  return {{"augmenter_on_device", "same_samples", Severity::kMust,
           "the device makes of every sample what the host makes of it", same_samples}};
}

}  // namespace plait::inline verify
