// What comes out of a shard where a reducer gathers, as one vector: trained parameters, buffers, slots.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/optimizer.h"
#include "plan/plan.h"

namespace plait::inline train {

// A stretch of it, in the layer's own order.
struct GatheredTensor {
  std::string name;      // "c1.weight", of a slot "c1.weight.momentum"
  uint32_t what = 0;     // PLAIT_REDUCED_*
  size_t parameter = 0;  // number in the network
  int slot = -1;         // number of the optimizer's slot
  uint32_t reduce = 0;   // PLAIT_REDUCE_*
  uint64_t first = 0, count = 0;
  // Apart from those of slots: "c1.weight", "slot 0/c1.weight"
  std::string name_in_files;
};

class GatheredLayout {
 public:
  // Borrows the plan. `slots`: of an optimizer that runs inside the tasks, where they are averaged; else
  // none.
  GatheredLayout(const Plan& plan, const std::vector<SlotInfo>& slots);

  uint64_t count() const { return count_; }
  const std::vector<GatheredTensor>& tensors() const { return tensors_; }
  // The arrays that the vector is made of: trained parameters, each reduced buffer, each averaged slot.
  const std::vector<size_t>& lengths() const { return lengths_; }

  // Sets everything to 0 that is no element of a plain tensor: padding, and gaps between tensors. What a
  // checkpoint brings back is then the same to the bit. Shapes: vector [count()]
  Status clear_padding(std::vector<float>& vector) const;
  // Between a vector and plain order, as files hold it. Shapes: plain [elements of the tensor]
  Status unpack(const GatheredTensor& tensor, std::span<const float> vector, float* plain) const;
  Status pack(const GatheredTensor& tensor, const float* plain, std::span<float> vector) const;
  uint64_t elements(const GatheredTensor& tensor) const;  // plain
  const std::vector<int64_t>& shape(const GatheredTensor& tensor) const;

 private:
  void add_trained(uint64_t first, int slot, const SlotInfo* info);

  const Plan* plan_;
  std::vector<GatheredTensor> tensors_;
  std::vector<size_t> lengths_;
  uint64_t count_ = 0;
};

}  // namespace plait::inline train
