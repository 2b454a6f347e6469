// The parts of one sample between two operators: views, and where they lie in a block of memory.
#pragma once
#include <plait/abi.h>

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "registry/parts.h"

namespace plait::inline graph {

// 64-byte aligned host memory. Begins as zeros.
class HostBlock {
 public:
  explicit HostBlock(uint64_t bytes = 0);
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* data) const { ::operator delete (data, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

// Where the extents of samples are written: along a part's first variable axis and its second; null: none.
using ExtentsOut = std::array<int32_t*, 2>;

// Views of parts in a block that may be exchanged. The extents used along variable axes lie at the block's
// end. Does not move; `parts` must outlive it.
class SampleLevel {
 public:
  explicit SampleLevel(const std::vector<PartSpec>& parts);
  SampleLevel(const SampleLevel&) = delete;
  SampleLevel& operator=(const SampleLevel&) = delete;
  uint64_t bytes() const { return bytes_; }  // of its block
  void lay_in(std::byte* block);
  // Part `part` lies at `data` until the next lay_in.
  void set_data(size_t part, void* data) { tensors_[part].data = data; }
  void* data(size_t part) const { return tensors_[part].data; }
  // Before a plugin writes the parts: everything is as long as its bound.
  void reset_lengths();
  // A number for each part, along its variable axis number `k`.
  int32_t* lengths(int k = 0) const { return lengths_ + static_cast<size_t>(k) * tensors_.size(); }
  const plait_tensor* const* tensors() const { return pointers_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(tensors_.size()); }

 private:
  const std::vector<PartSpec>& parts_;
  std::vector<plait_tensor> tensors_;
  std::vector<const plait_tensor*> pointers_;
  std::vector<uint64_t> offsets_;
  uint64_t bytes_ = 0;
  int32_t* lengths_ = nullptr;
};

}  // namespace plait::inline graph
