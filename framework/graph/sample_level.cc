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
    tensors_[i] = tensor_of(parts[i]);
    pointers_.push_back(&tensors_[i]);
    offsets_.push_back(bytes_);
    bytes_ += aligned(element_count(parts[i]) * dtype_bytes(parts[i].dtype));
  }
  bytes_ += aligned(2 * parts.size() * sizeof(int32_t));
}

void SampleLevel::lay_in(std::byte* block) {
  lengths_ = reinterpret_cast<int32_t*>(block + bytes_ - aligned(2 * size() * sizeof(int32_t)));
  for (size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i].data = block + offsets_[i];
    tensors_[i].lengths = parts_[i].variable_axis >= 0 ? lengths(0) + i : nullptr;
    tensors_[i].second_lengths = parts_[i].second_axis >= 0 ? lengths(1) + i : nullptr;
  }
}

void SampleLevel::reset_lengths() {
  for (size_t i = 0; i < parts_.size(); ++i)
    for (int k = 0; k < 2; ++k)
      if (parts_[i].varying(k) >= 0) lengths(k)[i] = static_cast<int32_t>(parts_[i].bound(k));
}

}  // namespace plait::inline graph
