// What a round begins with, on a device: brought there once for all tasks of the rank.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "graph/device.h"
#include "train/round_state.h"

namespace plait::inline train {

// Threads: load [one at a time], while no task runs; the rest [any]
class RoundStart {
 public:
  // Shapes: weights [arena]; each of `slots` arrays [trained]. Fails with: what the device reports.
  static Result<std::unique_ptr<RoundStart>> create(Device& device, uint64_t arena, uint64_t trained,
                                                    size_t slots);
  Status load(const RoundState& state);
  const float* weights() const { return static_cast<const float*>(weights_.data()); }
  const float* slot(size_t s) const { return static_cast<const float*>(slots_[s].data()); }

 private:
  RoundStart() = default;
  std::unique_ptr<Stream> stream_;
  DeviceMemory weights_;
  std::vector<DeviceMemory> slots_;
};

}  // namespace plait::inline train
