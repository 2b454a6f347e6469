// The device's side of a call: memory that the host may not touch, as a plugin on a device is given it.
#pragma once
#include <memory>
#include <vector>

#include "base/status.h"
#include "graph/device.h"
#include "registry/context.h"
#include "verify/engine/guarded.h"

namespace plait::inline verify {

// A stream, and blocks of the kit lent to the device. Without a device it does nothing: blocks are given to
// plugins where they lie. Threads: [one at a time], as many as wanted side by side.
class DeviceSide {
 public:
  // `device` outlives it; null: none. Fails with: what the device reports.
  static Result<std::unique_ptr<DeviceSide>> create(Device* device);

  // Calls with this context are queued on the stream.
  void serve(CallContext& context);
  // The block, guards and all, gets a twin on the device, and must not move from now on.
  Status lend(Guarded& block);
  // function(), between a copy of all blocks to the device and one back. Waits for the stream.
  // Fails with: what function or, late, the device reports.
  template <class Function>
  Status around(CallContext& context, Function&& function) {
    PLAIT_TRY(to_device());
    const Status status = context.call(function);
    const Status late = from_device();
    return status ? late : status;
  }
  // While on, blocks stay on the device between calls: for laws about costs.
  Status keep_there(bool on);

 private:
  explicit DeviceSide(Device* device) : device_(device) {}
  Status to_device();
  Status from_device();
  Status copy_all(bool in);

  // Several blocks in one piece of the device's memory, and of the host's: one copy for all of them.
  struct Region {
    DeviceMemory there;
    HostMemory here;
    uint64_t used = 0;  // bytes, from the beginning
  };
  struct Lent {
    Guarded* block;
    size_t region;
    uint64_t offset;
  };
  Result<size_t> region_for(uint64_t bytes);

  Device* device_;
  std::unique_ptr<Stream> stream_;
  std::vector<Region> regions_;
  std::vector<Lent> lent_;
  bool keeps_ = false;
};

}  // namespace plait::inline verify
