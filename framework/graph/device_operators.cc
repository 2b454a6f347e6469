#include "graph/device_operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "graph/sample_cast.h"
#include "registry/shape_text.h"

namespace plait::inline graph {
namespace {

bool any_varies(const std::vector<PartSpec>& parts) {
  return std::ranges::any_of(parts, [](const PartSpec& part) { return part.varies(); });
}

}  // namespace

DeviceOperators::~DeviceOperators() {
  for (const One& one : all_) one.ops->destroy(one.self);
}

bool DeviceOperators::are_allowed() const {
  if (device_.host_memory() || any_varies(chain_.last_parts())) return false;
  if (std::ranges::any_of(chain_.operators(), &ChainOperator::whole_batches)) return false;
  return std::ranges::equal(chain_.last_parts(), chain_.batch_parts(), {}, &PartSpec::dtype,
                            &PartSpec::dtype);
}

Result<std::unique_ptr<DeviceOperators>> DeviceOperators::create(const SampleChain& chain, Device& device,
                                                                 int batch) {
  std::unique_ptr<DeviceOperators> made(new DeviceOperators(chain, device));
  made->first_ = chain.operators().size();
  if (!made->are_allowed()) return made;
  while (made->first_ > 0) {
    PLAIT_ASSIGN(const bool is_there, made->add(made->first_ - 1, batch));
    if (!is_there) break;
    --made->first_;
  }
  std::ranges::reverse(made->all_);
  return made;
}

// False: it stays with the host.
Result<bool> DeviceOperators::add(size_t number, int batch) {
  const ChainOperator& op = chain_.operators()[number];
  if (!op.instance || any_varies(chain_.parts_at(number))) return false;
  const auto& implementations = op.instance.entry().implementations;
  const auto found = implementations.find(device_.id());
  if (found == implementations.end()) return false;
  One one{&op, static_cast<const plait_augmenter_ops*>(found->second->ops)};
  CallContext context(1, nullptr, chain_.cancelled());
  context.set_device(&device_.ops(), device_.self(), nullptr);
  const plait_fit fit{sizeof(plait_fit), static_cast<uint32_t>(op.fit.size()), op.fit.data()};
  if (!op.fit.empty()) context.set_fit(&fit);
  const RawParts raw(chain_.parts_at(number));
  const Status made = context.call([&] {
    return one.ops->create(context.raw(), &op.instance.config(), raw.size(), raw.data(), &one.self);
  });
  if (made.code() == Code::kUnsupported) return false;
  PLAIT_TRY(made.at(fmt::format("{} on {}", op.place, device_.id())));
  all_.push_back(one);
  if (!PLAIT_HAS(one.ops, workspace)) return true;
  PLAIT_TRY(
      context.call([&] { return one.ops->workspace(one.self, context.raw(), batch, &all_.back().workspace); })
          .at(op.place + ": workspace"));
  return true;
}

const std::vector<PartSpec>& DeviceStages::parts(size_t level) const {
  return operators_.chain().parts_at(operators_.first() + level);
}

Result<std::unique_ptr<DeviceStages>> DeviceStages::create(const DeviceOperators& operators, int batch,
                                                           Stream& stream) {
  std::unique_ptr<DeviceStages> stages(new DeviceStages(operators));
  stages->samples_ = static_cast<size_t>(batch);
  uint64_t workspace = 0;
  for (const DeviceOperators::One& one : operators.all()) workspace = std::max(workspace, one.workspace);
  PLAIT_ASSIGN(stages->workspace_, DeviceMemory::allocate(stream, workspace));
  const uint64_t random = operators.all().size() * stages->samples_ * sizeof(plait_rng);
  PLAIT_ASSIGN(stages->random_, DeviceMemory::allocate(stream, random));
  PLAIT_ASSIGN(stages->random_here_, HostMemory::allocate(operators.device(), random));
  for (size_t level = 0; level <= operators.all().size(); ++level)
    PLAIT_TRY(stages->add_level(stages->parts(level), batch, stream, level > 0));
  for (const DeviceMemory& memory : stages->levels_.back()->memory) {
    stages->batch_.parts.push_back(memory.data());
    stages->batch_.extents.push_back({nullptr, nullptr});
  }
  return stages;
}

Status DeviceStages::add_level(const std::vector<PartSpec>& parts, int batch, Stream& stream,
                               bool own_memory) {
  auto level = std::make_unique<Level>();
  level->tensors.resize(parts.size());
  level->written.resize(parts.size());
  level->data.resize(parts.size());
  std::vector<PartSpec>& shapes = shapes_.emplace_back();
  for (const PartSpec& part : parts) shapes.push_back(with_batch(part, batch));
  for (size_t i = 0; i < parts.size(); ++i) {
    const PartSpec& whole = shapes[i];
    if (own_memory) {
      PLAIT_ASSIGN(DeviceMemory memory,
                   DeviceMemory::allocate(stream, element_count(whole) * dtype_bytes(whole.dtype)));
      level->data[i] = memory.data();
      level->memory.push_back(std::move(memory));
    }
    level->tensors[i] = tensor_of(whole);
    level->tensors[i].data = level->data[i];
    level->pointers.push_back(&level->tensors[i]);
  }
  origins_.emplace_back(parts.size(), -1);
  levels_.push_back(std::move(level));
  return {};
}

Status DeviceStages::make_random(std::span<const SampleRef> samples, Stream& stream) {
  auto* const keys = reinterpret_cast<plait_rng*>(random_here_.data());
  for (size_t i = 0; i < operators_.all().size(); ++i)
    for (size_t n = 0; n < samples_; ++n)
      keys[i * samples_ + n] = operators_.all()[i].op->random_of(samples[n]);
  return stream.copy_in(random_.data(), keys, random_.bytes());
}

Status DeviceStages::run(std::span<void* const> parts, std::span<const SampleRef> samples, Stream& stream) {
  Level& in = *levels_.front();
  for (size_t i = 0; i < parts.size(); ++i) {
    in.tensors[i].data = in.data[i] = parts[i];
    origins_.front()[i] = static_cast<int>(i);
  }
  PLAIT_TRY(make_random(samples, stream));
  const size_t count = operators_.all().size();
  for (size_t i = 0; i < count; ++i) {
    PLAIT_TRY(apply(i, stream).at(operators_.all()[i].op->place + ": batch"));
    PLAIT_TRY(pass_on(i + 1, i + 1 == count, stream));
  }
  return {};
}

Status DeviceStages::apply(size_t number, Stream& stream) {
  const DeviceOperators::One& one = operators_.all()[number];
  const Level& in = *levels_[number];
  Level& out = *levels_[number + 1];
  std::ranges::fill(out.written, uint8_t{0});
  for (size_t i = 0; i < out.memory.size(); ++i) out.tensors[i].data = out.data[i] = out.memory[i].data();
  plait_sample_call call{};
  call.struct_size = sizeof call;
  call.training = operators_.chain().training() ? 1 : 0;
  call.inputs = in.pointers.data();
  call.n_inputs = static_cast<uint32_t>(in.pointers.size());
  call.outputs = out.pointers.data();
  call.n_outputs = static_cast<uint32_t>(out.pointers.size());
  call.workspace = one.workspace > 0 ? workspace_.data() : nullptr;
  call.rngs = static_cast<const plait_rng*>(random_.data()) + number * samples_;
  call.written = out.written.data();
  CallContext context(1, nullptr, operators_.chain().cancelled());
  const Device& device = operators_.device();
  context.set_device(&device.ops(), device.self(), stream.handle());
  return context.call([&] { return one.ops->apply_samples(one.self, context.raw(), &call); });
}

// What was not written is what came in by the same name: where it lies, or, at the end, in the batch's own
// memory, whose addresses are those of recorded steps.
Status DeviceStages::pass_on(size_t number, bool is_last, Stream& stream) {
  const Level& in = *levels_[number - 1];
  Level& out = *levels_[number];
  const std::vector<PartSpec>&before = parts(number - 1), &after = parts(number);
  for (size_t i = 0; i < after.size(); ++i) {
    origins_[number][i] = -1;
    if (out.written[i] != 0) continue;
    const auto found = std::ranges::find(before, after[i]);
    if (found == before.end())
      return {Code::kPlugin, fmt::format("{}: part \"{}\" was not written, and none comes in that is like it",
                                         operators_.all()[number - 1].op->place, after[i].name)};
    const auto from = static_cast<size_t>(found - before.begin());
    origins_[number][i] = origins_[number - 1][from];
    if (is_last)
      PLAIT_TRY(stream.copy(out.data[i], in.data[from], out.memory[i].bytes()));
    else
      out.tensors[i].data = out.data[i] = in.data[from];
  }
  return {};
}

}  // namespace plait::inline graph
