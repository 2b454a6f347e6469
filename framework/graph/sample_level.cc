#include "graph/sample_level.h"

#include <cstring>

#include "graph/sample_cast.h"
#include "plan/plan.h"
#include "registry/shape_text.h"

namespace plait::inline graph {
namespace {

uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

HostBlock::HostBlock(uint64_t bytes)
    : data_(static_cast<std::byte*>(::operator new (bytes + 1, std::align_val_t{kAlignment}))) {
  std::memset(data_.get(), 0, bytes);
}

SampleLevel::SampleLevel(const std::vector<PartSpec>& parts) : parts_(parts), tensors_(parts.size()) {
  for (size_t i = 0; i < parts.size(); ++i) {
    plait_tensor& tensor = tensors_[i];
    tensor.struct_size = sizeof tensor;
    tensor.dtype = parts[i].dtype;
    tensor.rank = static_cast<int32_t>(parts[i].shape.size());
    tensor.variable_axis = parts[i].variable_axis;
    tensor.shape = parts[i].shape.data();
    tensor.name = parts[i].name.c_str();
    pointers_.push_back(&tensor);
    offsets_.push_back(bytes_);
    bytes_ += aligned(element_count(parts[i]) * dtype_bytes(parts[i].dtype));
  }
  bytes_ += aligned(parts.size() * sizeof(int32_t));
}

void SampleLevel::lay_in(std::byte* block) {
  lengths_ = reinterpret_cast<int32_t*>(block + bytes_ - aligned(size() * sizeof(int32_t)));
  for (size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i].data = block + offsets_[i];
    tensors_[i].lengths = parts_[i].variable_axis >= 0 ? lengths_ + i : nullptr;
  }
}

void SampleLevel::reset_lengths() {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].variable_axis < 0) continue;
    lengths_[i] = static_cast<int32_t>(parts_[i].shape[static_cast<size_t>(parts_[i].variable_axis)]);
  }
}

}  // namespace plait::inline graph
