#include "graph/sample_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/random_keys.h"
#include "graph/sample_cast.h"
#include "registry/shape_text.h"

namespace plait::inline graph {
namespace {

plait_sample_call sample_call(const SampleRef& sample, uint64_t key, bool training) {
  plait_sample_call call{};
  call.struct_size = sizeof call;
  call.training = training;
  call.rng = {key, random_counter(static_cast<int64_t>(sample.place), sample.epoch)};
  return call;
}

void set_output(plait_sample_call& call, SampleLevel& level) {
  level.reset_lengths();
  call.outputs = level.tensors();
  call.n_outputs = level.size();
  call.lengths_out = level.lengths(0);
  call.second_lengths_out = level.lengths(1);
}

}  // namespace

plait_rng ChainOperator::random_of(const SampleRef& sample) const {
  return sample_call(sample, key, false).rng;
}

Status SampleChain::read_source(const SampleRef& sample, SampleScratch& scratch) const {
  plait_sample_call call = sample_call(sample, source_key_, training_);
  set_output(call, scratch.level(0));
  const Status status = scratch.context().call([&] {
    return source_.ops<plait_source_ops>()->read(source_.self(), scratch.context().raw(), sample.record,
                                                 &call);
  });
  return status ? status : status.at(fmt::format("{}: record {}", source_place_, sample.record));
}

Status SampleChain::transform_one(const SampleRef& sample, SampleScratch& scratch, size_t number) const {
  const ChainOperator& op = operators_[number];
  plait_sample_call call = sample_call(sample, op.key, training_);
  call.inputs = scratch.level(number).tensors();
  call.n_inputs = scratch.level(number).size();
  call.workspace = op.workspace > 0 ? scratch.workspace() : nullptr;
  set_output(call, scratch.level(number + 1));
  const Status status = scratch.context().call(
      [&] { return op.ops().apply(op.instance.self(), scratch.context().raw(), &call); });
  return status ? status : status.at(fmt::format("{}: record {}", op.place, sample.record));
}

Status SampleChain::observe(const WantedFit& wanted, const SampleRef& sample, SampleScratch& scratch,
                            double* state) const {
  const SampleLevel& level = scratch.level(wanted.number);
  plait_sample_call call{};
  call.struct_size = sizeof call;
  call.inputs = level.tensors();
  call.n_inputs = level.size();
  call.training = training_;
  CallContext& context = scratch.context();
  const Status status = context.call(
      [&] { return wanted.ops->fit_observe(context.raw(), wanted.spec->config.get(), &call, state); });
  return status ? status : status.at(fmt::format("{}: record {}", wanted.place, sample.record));
}

void SampleChain::give_fit(const WantedFit& wanted, std::vector<double> fit) {
  operators_[wanted.number].fit = std::move(fit);
}

void* SampleChain::slot(const PartSpec& part, int place, void* memory) {
  const uint64_t bytes = element_count(part) * dtype_bytes(part.dtype);
  return static_cast<std::byte*>(memory) + static_cast<uint64_t>(place) * bytes;
}

void SampleChain::aim(int place, std::span<void* const> parts, SampleScratch& scratch, size_t count) const {
  const std::vector<PartSpec>&in = parts_at(count), &out = collated_parts(count);
  for (size_t i = 0; i < out.size(); ++i)
    if (in[i].dtype == out[i].dtype) scratch.level(count).set_data(i, slot(out[i], place, parts[i]));
}

void SampleChain::collate(int place, std::span<void* const> parts, std::span<const ExtentsOut> extents,
                          const SampleScratch& scratch, size_t count) const {
  const SampleLevel& level = scratch.level(count);
  const std::vector<PartSpec>&in = parts_at(count), &out = collated_parts(count);
  for (size_t i = 0; i < out.size(); ++i) {
    const PartSpec& spec = out[i];
    void* to = slot(spec, place, parts[i]);
    const uint64_t elements = element_count(spec);
    if (to != level.data(i) && in[i].dtype == spec.dtype)
      std::memcpy(to, level.data(i), elements * dtype_bytes(spec.dtype));
    else if (to != level.data(i))
      cast_to_batch(in[i].dtype, level.data(i), to, elements);
    if (!spec.varies()) continue;
    const int32_t* used[2] = {nullptr, nullptr};
    for (int k = 0; k < 2; ++k) {
      if (spec.varying(k) < 0) continue;
      int32_t& extent = extents[i][static_cast<size_t>(k)][place];
      extent = std::clamp<int32_t>(level.lengths(k)[i], 0, static_cast<int32_t>(spec.bound(k)));
      used[k] = &extent;
    }
    zero_past(spec, used, dtype_bytes(spec.dtype), to);
  }
}

Status SampleChain::transform_batch(const ChainOperator& op, const SampleRef& first,
                                    const plait_tensor* const* inputs, const plait_tensor* const* outputs,
                                    void* workspace, CallContext& context) const {
  plait_sample_call call = sample_call(first, op.key, training_);
  call.workspace = workspace;
  call.inputs = inputs;
  call.outputs = outputs;
  call.n_inputs = call.n_outputs = static_cast<uint32_t>(batch_parts_.size());
  const Status status =
      context.call([&] { return op.ops().apply_batch(op.instance.self(), context.raw(), &call); });
  return status ? status : status.at(op.place + ": batch");
}

Result<uint64_t> ChainOperator::workspace_bytes(int64_t batch) const {
  const plait_augmenter_ops* const table = &ops();
  uint64_t bytes = 0;
  if (!PLAIT_HAS(table, workspace)) return bytes;
  CallContext context;
  PLAIT_TRY(context.call([&] { return table->workspace(instance.self(), context.raw(), batch, &bytes); })
                .at(place + ": workspace"));
  PLAIT_TRY(check_bytes(place + ": the workspace takes", bytes));
  return bytes;
}

SampleScratch::SampleScratch(const SampleChain& chain) : context_(1, nullptr, chain.cancelled()) {
  uint64_t workspace = 0;
  for (const ChainOperator& op : chain.operators()) workspace = std::max(workspace, op.workspace);
  workspace_ = HostBlock(workspace);
  levels_.push_back(std::make_unique<SampleLevel>(chain.source_parts()));
  for (const ChainOperator& op : chain.operators())
    levels_.push_back(std::make_unique<SampleLevel>(op.parts));
  uint64_t bytes[2] = {0, 0};
  for (size_t i = 0; i < levels_.size(); ++i) bytes[i % 2] = std::max(bytes[i % 2], levels_[i]->bytes());
  for (int i = 0; i < 2; ++i) blocks_[i] = HostBlock(bytes[i]);
  lay();
}

void SampleScratch::lay(std::byte* block) {
  for (size_t i = 0; i < levels_.size(); ++i) levels_[i]->lay_in(blocks_[i % 2].data());
  if (block != nullptr) levels_.front()->lay_in(block);
}

}  // namespace plait::inline graph
