#include "verify/benches/device_side.h"

namespace plait {

Result<std::unique_ptr<DeviceSide>> DeviceSide::create(Device* device) {
  std::unique_ptr<DeviceSide> side(new DeviceSide(device));
  if (device == nullptr) return side;
  PLAIT_ASSIGN(side->stream_, Stream::create(*device, 1, nullptr));
  return side;
}

void DeviceSide::serve(CallContext& context) {
  if (device_ != nullptr) context.set_device(device_->self(), stream_->handle());
}

Status DeviceSide::lend(Guarded& block) {
  if (device_ == nullptr) return {};
  PLAIT_ASSIGN(DeviceMemory twin, DeviceMemory::allocate(*stream_, block.whole_bytes()));
  block.lend(twin.data());
  blocks_.push_back(&block);
  twins_.push_back(std::move(twin));
  return {};
}

Status DeviceSide::copy_all(bool in) {
  for (size_t i = 0; i < blocks_.size(); ++i) {
    Guarded& block = *blocks_[i];
    PLAIT_TRY(in ? stream_->copy_in(twins_[i].data(), block.whole(), block.whole_bytes())
                 : stream_->copy_out(block.whole(), twins_[i].data(), block.whole_bytes()));
  }
  return stream_->synchronize();
}

Status DeviceSide::to_device() { return device_ == nullptr || keeps_ ? Status() : copy_all(true); }

// The wait comes first: what went wrong in the call is told before anything is taken for its result.
Status DeviceSide::from_device() {
  if (device_ == nullptr) return {};
  PLAIT_TRY(stream_->synchronize());
  return keeps_ ? Status() : copy_all(false);
}

Status DeviceSide::keep_there(bool on) {
  if (device_ == nullptr) return {};
  PLAIT_TRY(copy_all(on));
  keeps_ = on;
  return {};
}

}  // namespace plait
