#include "verify/benches/device_side.h"

#include <algorithm>
#include <cstring>

namespace plait::inline verify {
namespace {

constexpr uint64_t kAlignment = 64, kRegionBytes = 1 << 16;

}  // namespace

Result<std::unique_ptr<DeviceSide>> DeviceSide::create(Device* device) {
  std::unique_ptr<DeviceSide> side(new DeviceSide(device));
  if (device == nullptr) return side;
  PLAIT_ASSIGN(side->stream_, Stream::create(*device, 1, nullptr));
  return side;
}

void DeviceSide::serve(CallContext& context) {
  if (device_ != nullptr) context.set_device(&device_->ops(), device_->self(), stream_->handle());
}

Result<size_t> DeviceSide::region_for(uint64_t bytes) {
  if (!regions_.empty() && regions_.back().there.bytes() - regions_.back().used >= bytes)
    return regions_.size() - 1;
  Region region;
  const uint64_t whole = std::max(bytes, kRegionBytes);
  PLAIT_ASSIGN(region.there, DeviceMemory::allocate(*stream_, whole));
  PLAIT_ASSIGN(region.here, HostMemory::allocate(*device_, whole));
  regions_.push_back(std::move(region));
  return regions_.size() - 1;
}

Status DeviceSide::lend(Guarded& block) {
  if (device_ == nullptr) return {};
  const uint64_t bytes = (block.whole_bytes() + kAlignment - 1) / kAlignment * kAlignment;
  PLAIT_ASSIGN(const size_t number, region_for(bytes));
  Region& region = regions_[number];
  block.lend(static_cast<std::byte*>(region.there.data()) + region.used);
  lent_.push_back({&block, number, region.used});
  region.used += bytes;
  return {};
}

Status DeviceSide::copy_all(bool in) {
  if (in) {
    for (const Lent& one : lent_)
      std::memcpy(regions_[one.region].here.data() + one.offset, one.block->whole(),
                  one.block->whole_bytes());
  }
  for (Region& region : regions_) {
    PLAIT_TRY(in ? stream_->copy_in(region.there.data(), region.here.data(), region.used)
                 : stream_->copy_out(region.here.data(), region.there.data(), region.used));
  }
  PLAIT_TRY(stream_->synchronize());
  if (in) return {};
  for (const Lent& one : lent_)
    std::memcpy(one.block->whole(), regions_[one.region].here.data() + one.offset, one.block->whole_bytes());
  return {};
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

}  // namespace plait::inline verify
