#include "graph/batch_memory.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "graph/sample_cast.h"
#include "registry/shape_text.h"

namespace plait::inline graph {
namespace {

using Shape = std::array<int64_t, PLAIT_MAX_RANK>;

// The first `extent` of every run along an axis, one after the other. Runs only move towards the beginning,
// so that the memory may be the same.
void keep_first(const Shape& shape, size_t rank, size_t axis, int64_t extent, uint64_t batch, uint64_t bytes,
                std::byte* data) {
  uint64_t runs = batch, inner = bytes;
  for (size_t i = 0; i < axis; ++i) runs *= static_cast<uint64_t>(shape[i]);
  for (size_t i = axis + 1; i < rank; ++i) inner *= static_cast<uint64_t>(shape[i]);
  const uint64_t from = static_cast<uint64_t>(shape[axis]) * inner,
                 to = static_cast<uint64_t>(extent) * inner;
  for (uint64_t run = 1; run < runs; ++run) std::memmove(data + run * to, data + run * from, to);
}

}  // namespace

Result<std::unique_ptr<BatchMemory>> BatchMemory::create(const std::vector<PartSpec>& parts, int batch,
                                                         Stream& stream, bool spare) {
  std::unique_ptr<BatchMemory> memory(new BatchMemory);
  memory->parts_ = parts;
  memory->longest_.resize(parts.size());
  for (const PartSpec& part : parts) {
    memory->batch_parts_.push_back(with_batch(part, batch));
    memory->bytes_.push_back(static_cast<uint64_t>(batch) * element_count(part) * dtype_bytes(part.dtype));
    PLAIT_ASSIGN(DeviceMemory device, DeviceMemory::allocate(stream, memory->bytes_.back()));
    memory->batch_.parts.push_back(device.data());
    memory->device_.push_back(std::move(device));
  }
  memory->delivered_ = memory->bytes_;
  if (stream.device().host_memory()) {
    memory->sets_[0].data = memory->batch_.parts;
  } else {
    PLAIT_TRY(memory->make_host_set(memory->sets_[0], stream.device()));
  }
  if (spare) PLAIT_TRY(memory->make_host_set(memory->sets_[1], stream.device()));
  memory->make_extents(parts, batch);
  memory->make_views(memory->sets_[0]);
  if (spare) memory->make_views(memory->sets_[1]);
  return memory;
}

Status BatchMemory::make_host_set(Set& set, Device& device) {
  for (uint64_t bytes : bytes_) {
    PLAIT_ASSIGN(HostMemory memory, HostMemory::allocate(device, bytes));
    set.data.push_back(memory.data());
    host_.push_back(std::move(memory));
  }
  return {};
}

void BatchMemory::make_extents(const std::vector<PartSpec>& parts, int batch) {
  extent_values_.resize(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    ExtentsOut& out = extents_.emplace_back();
    for (int k = 0; k < 2; ++k) {
      if (parts[i].varying(k) < 0) continue;
      std::vector<int32_t>& values = extent_values_[i][static_cast<size_t>(k)];
      values.resize(static_cast<size_t>(batch));
      out[static_cast<size_t>(k)] = values.data();
    }
    batch_.extents.push_back({out[0], out[1]});
  }
}

void BatchMemory::make_views(Set& set) {
  set.tensors.resize(batch_parts_.size());
  for (size_t i = 0; i < batch_parts_.size(); ++i) {
    plait_tensor& tensor = set.tensors[i];
    tensor = tensor_of(batch_parts_[i]);
    tensor.data = set.data[i];
    tensor.lengths = extents_[i][0];
    tensor.second_lengths = extents_[i][1];
    set.pointers.push_back(&tensor);
  }
}

void BatchMemory::begin() {
  current_ = 0;
  batch_.bucket = 0;
  std::ranges::copy(bytes_, delivered_.begin());
}

void BatchMemory::shrink(const Buckets& buckets) {
  if (buckets.count() == 1) return;
  for (size_t i = 0; i < parts_.size(); ++i)
    for (size_t k = 0; k < 2; ++k)
      longest_[i][k] = extents_[i][k] == nullptr ? 0 : std::ranges::max(extent_values_[i][k]);
  batch_.bucket = buckets.holding(longest_);
  if (batch_.bucket == 0) return;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const PartSpec& part = buckets.parts(batch_.bucket)[i];
    if (!part.varies()) continue;
    const auto batch = static_cast<uint64_t>(batch_parts_[i].shape.front());
    auto* const data = static_cast<std::byte*>(sets_[current_].data[i]);
    Shape shape{};
    std::ranges::copy(parts_[i].shape, shape.begin());
    for (const int k : {1, 0}) {
      if (part.varying(k) < 0) continue;
      const auto axis = static_cast<size_t>(part.varying(k));
      keep_first(shape, part.shape.size(), axis, part.bound(k), batch, dtype_bytes(part.dtype), data);
      shape[axis] = part.bound(k);
    }
    delivered_[i] = batch * element_count(part) * dtype_bytes(part.dtype);
  }
}

Status BatchMemory::deliver(Stream& stream) {
  const Set& set = sets_[current_];
  for (size_t i = 0; i < bytes_.size(); ++i) {
    if (set.data[i] == batch_.parts[i]) continue;
    PLAIT_TRY(stream.copy_in(batch_.parts[i], set.data[i], delivered_[i]));
  }
  return {};
}

}  // namespace plait::inline graph
