// The sums of an ExactSum while they lie on a device: what comes out of a rank's shards is added there, by
// the device's own arithmetic (plait_device_ops.add_to_sums), and need not come to the host.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "cluster/exact_sum.h"
#include "graph/device.h"

namespace plait::inline train {

class DeviceSum {
 public:
  // Whether the device brings the arithmetic, and has memory that is not the host's.
  static bool is_offered(const Device& device);

  // Of the segments of kMean; others are left out. Of the first `differences` elements of the arena the
  // difference to other values is added.
  // Fails with: what the device reports. Threads: [setup only]
  static Result<std::unique_ptr<DeviceSum>> create(Device& device, const std::vector<Segment>& segments,
                                                   uint64_t differences, int64_t total_weight);

  // Forgets the sums.
  Status begin();
  // Adds weight * (differences[i] - before[i]) for the first elements of the arena, weight * rest[i] for the
  // others. All are memory of the device, which no stream is writing; before null: 0.
  // Shapes: differences, before [differences], rest [arena]
  // Fails with: as ExactSum::accumulate; what the device reports. Threads: [any]
  Status accumulate(const float* differences, const float* before, const float* rest, int32_t weight);

  // Hands the sums to `sum`, made of the same segments and of no others. Without `values` it only learns
  // their weight: nobody else has any, and mean() takes its place.
  Status give(ExactSum& sum, bool values);
  // See ExactSum::mean. Shapes: out [arena], in host memory
  Status mean(std::span<float> out);

 private:
  // Neighbours in the arena and in the sums.
  struct Run {
    size_t offset = 0, count = 0, position = 0;
    bool differs = false;
  };
  DeviceSum(const std::vector<Segment>& segments, uint64_t differences, int64_t total_weight);
  void add_to_runs(const Segment& segment);
  Status allocate();
  plait_exact_sums part(const Run& run) const;
  Status add(const Run& run, const float* x, const float* before, int32_t weight);
  Status find_not_finite(const float* differences, const float* before, const float* rest);
  Result<std::vector<float>> read(const float* from, size_t count);

  std::vector<Segment> segments_;
  uint64_t differences_;
  int64_t total_weight_;
  bool is_wide_;
  std::vector<Run> runs_;
  size_t elements_ = 0;
  std::unique_ptr<Stream> stream_;
  std::mutex mutex_;  // of the stream, and of what follows
  DeviceMemory high_, low_, window_, not_finite_, means_;
  int64_t weight_ = 0;
};

}  // namespace plait::inline train
