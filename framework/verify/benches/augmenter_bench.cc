#include "verify/benches/augmenter_bench.h"

#include <algorithm>

#include "graph/sample_cast.h"
#include "registry/shape_text.h"

namespace plait::inline verify {
namespace {

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

void put_in_batch(const Parts& parts, const AugmenterSample& one, int64_t place, AugmenterSample& batch) {
  for (size_t i = 0; i < parts.size(); ++i) {
    const PartSpec& part = parts[i];
    const uint64_t count = element_count(part), bytes = dtype_bytes(batch_dtype(part.dtype));
    uint8_t* to = batch.inputs[i]->memory().as<uint8_t>() + static_cast<uint64_t>(place) * count * bytes;
    cast_to_batch(part.dtype, one.outputs[i]->memory().data(), to, count);
    if (!part.varies()) continue;
    const int32_t* extents[2] = {nullptr, nullptr};
    for (int k = 0; k < 2; ++k) {
      if (part.varying(k) < 0) continue;
      std::vector<int32_t>& list = batch.input_lengths[k][i];
      list.push_back(
          std::clamp(one.length(i, static_cast<size_t>(k)), 0, static_cast<int32_t>(part.bound(k))));
      extents[k] = &list.back();
    }
    zero_past(part, extents, bytes, to);
  }
}

void set_largest(SampleTensor& input, uint32_t value) {
  const uint32_t dtype = input.spec().dtype;
  const bool picture = dtype == PLAIT_U8 && input.elements() > 1;
  if (picture || (dtype != PLAIT_I32 && dtype != PLAIT_I64 && dtype != PLAIT_U8)) return;
  for (uint64_t k = 0; k < input.elements(); ++k) input.set(k, value);
}

// Labels may have to be below the number of classes: 0 always is.
Status find_bound(AugmenterBench& bench) {
  Status status;
  for (; bench.bound > 0; bench.bound = bench.bound > 1 ? 1 : 0) {
    AugmenterSample sample(bench.in, bench.out, Dice(1, "numbers"), Poison::kNan, bench.bound,
                           bench.workspace);
    for (const auto& input : sample.inputs) set_largest(*input, bench.bound - 1);
    status = apply_augmenter(bench, sample, 1);
    if (!is_refusal(status)) return {};  // what else is wrong is for the laws
  }
  return status;
}

}  // namespace

Status apply_augmenter(const AugmenterBench& bench, AugmenterSample& sample, uint64_t key) {
  CallContext context;
  const plait_sample_call call = sample.call(key);
  return context.call([&] { return bench.ops().apply(bench.instance.self(), context.raw(), &call); })
      .at("apply");
}

Result<uint64_t> augmenter_workspace(const Instance& augmenter, int64_t batch) {
  const auto* const table = augmenter.ops<plait_augmenter_ops>();
  uint64_t bytes = 0;
  if (!PLAIT_HAS(table, workspace)) return bytes;
  CallContext context;
  PLAIT_TRY(context.call([&] { return table->workspace(augmenter.self(), context.raw(), batch, &bytes); })
                .at("workspace"));
  return bytes;
}

std::vector<Parts> parts_for(const Example& one) {
  return one.inputs.empty() ? usual_parts() : std::vector<Parts>{one.inputs};
}

Result<std::unique_ptr<AugmenterSample>> make_batch(const AugmenterBench& bench, int64_t n, uint64_t key,
                                                    Poison poison) {
  Parts parts = bench.out;
  for (PartSpec& part : parts) {
    part = with_batch(part, n);
    part.dtype = batch_dtype(part.dtype);
  }
  PLAIT_ASSIGN(const uint64_t workspace, augmenter_workspace(bench.instance, n));
  auto batch =
      std::make_unique<AugmenterSample>(parts, parts, Dice(key, "batch"), poison, bench.bound, workspace);
  for (auto& lengths : batch->input_lengths) lengths.resize(parts.size());
  for (int64_t place = 0; place < n; ++place) {
    const uint64_t own = key * 100 + static_cast<uint64_t>(place);
    AugmenterSample one(bench.in, bench.out, Dice(own, "in batch"), Poison::kNan, bench.bound,
                        bench.workspace);
    PLAIT_TRY(apply_augmenter(bench, one, own));
    put_in_batch(bench.out, one, place, *batch);
  }
  for (size_t i = 0; i < parts.size(); ++i)
    for (SampleTensor* tensor : {batch->inputs[i].get(), batch->outputs[i].get()})
      if (parts[i].varies())
        tensor->set_extents(batch->input_lengths[0][i].data(),
                            parts[i].second_axis < 0 ? nullptr : batch->input_lengths[1][i].data());
  batch->keep_inputs();
  return batch;
}

plait_sample_call batch_call(AugmenterSample& batch, uint64_t key, bool training) {
  plait_sample_call call = batch.call(key, training);
  call.lengths_out = call.second_lengths_out = nullptr;
  return call;
}

// A pass over some samples, for those that want one.
Result<std::vector<double>> fit_augmenter(const plait_augmenter_ops& ops, const plait_config& config,
                                          const Parts& parts, int begin, int end, uint32_t bound) {
  const RawParts raw(parts);
  CallContext context;
  std::vector<double> state(ops.fit_size(context.raw(), &config, raw.size(), raw.data()));
  for (int n = begin; n < end; ++n) {
    Dice own(static_cast<uint64_t>(n), "fit");
    AugmenterSample sample(parts, {}, own, Poison::kNan, bound);
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

Result<AugmenterBench> make_augmenter_bench(Trial& trial, const Example& one, const Parts& parts) {
  AugmenterBench bench{one.config, parts, {}, {}, std::max(one.integer_bound, 2u)};
  if (one.integer_bound == 1) bench.bound = 1;
  trial.doing("infer, " + bench.text());
  CallContext context;
  PLAIT_ASSIGN(bench.out, infer_augmenter(trial.entry(), *one.config, parts, context));
  const auto& ops = trial.host_ops<plait_augmenter_ops>();
  std::vector<double> state;
  plait_fit fitted{sizeof(plait_fit), 0, nullptr};
  if (wants_fit(ops)) {
    PLAIT_ASSIGN(state, fit_augmenter(ops, *one.config, parts, 0, 8, bench.bound));
    fitted.size = static_cast<uint32_t>(state.size()), fitted.state = state.data();
    context.set_fit(&fitted);
  }
  trial.doing("create, " + bench.text());
  PLAIT_ASSIGN(bench.instance,
               create_augmenter(trial.registry(), trial.entry(), *one.config, parts, context));
  PLAIT_ASSIGN(bench.workspace, augmenter_workspace(bench.instance, 0));
  const auto& made = bench.ops();
  if (made.apply != nullptr) PLAIT_TRY(find_bound(bench));
  return bench;
}

}  // namespace plait::inline verify
