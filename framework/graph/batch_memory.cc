#include "graph/batch_memory.h"

#include <algorithm>
#include <cstring>

#include "graph/sample_cast.h"
#include "registry/shape_text.h"

namespace plait::inline graph {
namespace {

// The first extents of every run along the variable axis, one after the other. Runs only move towards the
// beginning, so that the memory may be the same.
void keep_first(const PartSpec& bound, int64_t extent, int batch, std::byte* data) {
  const auto axis = bound.shape.begin() + bound.variable_axis;
  uint64_t runs = static_cast<uint64_t>(batch), inner = dtype_bytes(bound.dtype);
  for (auto it = bound.shape.begin(); it != axis; ++it) runs *= static_cast<uint64_t>(*it);
  for (auto it = axis + 1; it != bound.shape.end(); ++it) inner *= static_cast<uint64_t>(*it);
  const uint64_t from = static_cast<uint64_t>(*axis) * inner, to = static_cast<uint64_t>(extent) * inner;
  for (uint64_t run = 1; run < runs; ++run) std::memmove(data + run * to, data + run * from, to);
}

}  // namespace

Result<std::unique_ptr<BatchMemory>> BatchMemory::create(const std::vector<PartSpec>& parts, int batch,
                                                         Stream& stream, bool spare) {
  std::unique_ptr<BatchMemory> memory(new BatchMemory);
  memory->parts_ = parts;
  memory->longest_.resize(parts.size());
  for (const PartSpec& part : parts) {
    memory->shapes_.push_back({batch});
    memory->shapes_.back().insert(memory->shapes_.back().end(), part.shape.begin(), part.shape.end());
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
  memory->make_lengths(parts, batch);
  memory->make_views(memory->sets_[0], parts);
  if (spare) memory->make_views(memory->sets_[1], parts);
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

void BatchMemory::make_lengths(const std::vector<PartSpec>& parts, int batch) {
  length_values_.resize(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].variable_axis >= 0) length_values_[i].resize(static_cast<size_t>(batch));
    lengths_.push_back(parts[i].variable_axis >= 0 ? length_values_[i].data() : nullptr);
  }
  batch_.lengths.assign(lengths_.begin(), lengths_.end());
}

void BatchMemory::make_views(Set& set, const std::vector<PartSpec>& parts) {
  set.tensors.resize(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    plait_tensor& tensor = set.tensors[i];
    tensor.struct_size = sizeof tensor;
    tensor.dtype = parts[i].dtype;
    tensor.rank = static_cast<int32_t>(shapes_[i].size());
    tensor.variable_axis = parts[i].variable_axis < 0 ? -1 : parts[i].variable_axis + 1;
    tensor.shape = shapes_[i].data();
    tensor.data = set.data[i];
    tensor.lengths = lengths_[i];
    tensor.name = parts[i].name.c_str();
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
    longest_[i] = lengths_[i] == nullptr ? 0 : std::ranges::max(length_values_[i]);
  batch_.bucket = buckets.holding(longest_);
  if (batch_.bucket == 0) return;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const PartSpec& part = buckets.parts(batch_.bucket)[i];
    if (part.variable_axis < 0) continue;
    const int batch = static_cast<int>(shapes_[i].front());
    keep_first(parts_[i], part.shape[static_cast<size_t>(part.variable_axis)], batch,
               static_cast<std::byte*>(sets_[current_].data[i]));
    delivered_[i] = static_cast<uint64_t>(batch) * element_count(part) * dtype_bytes(part.dtype);
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
