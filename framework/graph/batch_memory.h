// The memory of one batch: on the device, and on the host where samples are written.
#pragma once
#include <memory>
#include <vector>

#include "graph/device.h"
#include "graph/replica.h"
#include "graph/sample_level.h"
#include "plan/buckets.h"

namespace plait::inline graph {

// Does not move.
class BatchMemory {
 public:
  // `parts` without N. With `spare` there is a second set of host memory, for operators of whole batches.
  // Fails with: what the device reports.
  static Result<std::unique_ptr<BatchMemory>> create(const std::vector<PartSpec>& parts, int batch,
                                                     Stream& stream, bool spare);
  // Where samples are written; on a device of host memory its own memory.
  const std::vector<void*>& parts() const { return sets_[0].data; }
  const std::vector<ExtentsOut>& extents() const { return extents_; }
  // Views [N, ...] of the set that is written last, and of the other one.
  const plait_tensor* const* current() const { return sets_[current_].pointers.data(); }
  const plait_tensor* const* other() const { return sets_[1 - current_].pointers.data(); }
  void swap() { current_ = 1 - current_; }
  void begin();
  // Gives the set that is written last the extents of the smallest bucket that holds its samples: rows move
  // together, and what lies between the bucket's extent and the bound, zeros, is left out.
  void shrink(const Buckets& buckets);
  // Queues what is still missing on the device. Wait for the stream before either memory is used again.
  Status deliver(Stream& stream);
  Batch& batch() { return batch_; }

 private:
  struct Set {
    std::vector<void*> data;
    std::vector<plait_tensor> tensors;
    std::vector<const plait_tensor*> pointers;
  };

  BatchMemory() = default;
  void make_extents(const std::vector<PartSpec>& parts, int batch);
  Status make_host_set(Set& set, Device& device);
  void make_views(Set& set);

  std::vector<PartSpec> batch_parts_;  // with N, of the bound
  std::vector<PartSpec> parts_;        // without N
  std::vector<uint64_t> bytes_;        // of the bound
  std::vector<uint64_t> delivered_;    // bytes, of the batch's bucket
  std::vector<BatchExtents> longest_;
  std::vector<DeviceMemory> device_;
  std::vector<HostMemory> host_;
  std::vector<std::array<std::vector<int32_t>, 2>> extent_values_;
  std::vector<ExtentsOut> extents_;
  Set sets_[2];
  int current_ = 0;
  Batch batch_;
};

}  // namespace plait::inline graph
