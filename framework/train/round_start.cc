#include "train/round_start.h"

namespace plait::inline train {

Result<std::unique_ptr<RoundStart>> RoundStart::create(Device& device, uint64_t arena, uint64_t trained,
                                                       size_t slots) {
  std::unique_ptr<RoundStart> start(new RoundStart);
  PLAIT_ASSIGN(start->stream_, Stream::create(device, 1, nullptr));
  PLAIT_ASSIGN(start->weights_, DeviceMemory::allocate(*start->stream_, arena * sizeof(float)));
  for (size_t s = 0; s < slots; ++s) {
    PLAIT_ASSIGN(DeviceMemory slot, DeviceMemory::allocate(*start->stream_, trained * sizeof(float)));
    start->slots_.push_back(std::move(slot));
  }
  return start;
}

Status RoundStart::load(const RoundState& state) {
  PLAIT_TRY(stream_->copy_in(weights_.data(), state.weights.data(), weights_.bytes()));
  for (size_t s = 0; s < slots_.size(); ++s)
    PLAIT_TRY(stream_->copy_in(slots_[s].data(), state.slots[s].data(), slots_[s].bytes()));
  return stream_->synchronize();
}

}  // namespace plait::inline train
