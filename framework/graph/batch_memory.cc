#include "graph/batch_memory.h"

#include "graph/sample_cast.h"

namespace plait {

Result<std::unique_ptr<BatchMemory>> BatchMemory::create(const std::vector<PartSpec>& parts, int batch,
                                                         Stream& stream, bool spare) {
  std::unique_ptr<BatchMemory> memory(new BatchMemory);
  for (const PartSpec& part : parts) {
    memory->shapes_.push_back({batch});
    memory->shapes_.back().insert(memory->shapes_.back().end(), part.shape.begin(), part.shape.end());
    memory->bytes_.push_back(static_cast<uint64_t>(batch) * element_count(part) * element_bytes(part.dtype));
    PLAIT_ASSIGN(DeviceMemory device, DeviceMemory::allocate(stream, memory->bytes_.back()));
    memory->batch_.parts.push_back(device.data());
    memory->device_.push_back(std::move(device));
  }
  if (stream.device().host_memory()) {
    memory->sets_[0].data = memory->batch_.parts;
  } else {
    memory->make_host_set(memory->sets_[0]);
  }
  if (spare) memory->make_host_set(memory->sets_[1]);
  memory->make_lengths(parts, batch);
  memory->make_views(memory->sets_[0], parts);
  if (spare) memory->make_views(memory->sets_[1], parts);
  return memory;
}

void BatchMemory::make_host_set(Set& set) {
  for (uint64_t bytes : bytes_) {
    host_.emplace_back(bytes);
    set.data.push_back(host_.back().data());
  }
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

Status BatchMemory::deliver(Stream& stream) {
  const Set& set = sets_[current_];
  for (size_t i = 0; i < bytes_.size(); ++i) {
    if (set.data[i] != batch_.parts[i]) PLAIT_TRY(stream.copy_in(batch_.parts[i], set.data[i], bytes_[i]));
  }
  return {};
}

}  // namespace plait
