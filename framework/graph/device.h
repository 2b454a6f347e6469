// A device plugin opened, and memory on it.
#pragma once
#include <plait/abi.h>

#include <memory>
#include <string>

#include "base/status.h"
#include "registry/context.h"
#include "registry/instance.h"
#include "registry/registry.h"

namespace plait {

class Device {
 public:
  static Result<std::unique_ptr<Device>> open(const Registry& registry, const TypeEntry& entry,
                                              const plait_config& config);
  ~Device();
  const std::string& id() const { return id_; }
  const plait_device_ops& ops() const { return *ops_; }
  void* self() const { return self_; }
  // The host may read and write its memory: copies can be spared.
  bool host_memory() const { return (info_.flags & PLAIT_DEVICE_HOST_MEMORY) != 0; }
  const plait_device_info& info() const { return info_; }

 private:
  Device() = default;
  std::string id_;
  const plait_device_ops* ops_ = nullptr;
  void* self_ = nullptr;
  plait_device_info info_{};
  std::unique_ptr<Instance> instance_;
};

// A stream of a device with the context of its calls.
// Threads: [one at a time]
class Stream {
 public:
  static Result<std::unique_ptr<Stream>> create(Device& device, int lanes, ParallelFor parallel_for,
                                                const std::atomic<bool>* cancelled = nullptr);
  ~Stream();
  Device& device() const { return *device_; }
  CallContext& context() { return context_; }
  Status copy_in(void* to, const void* from_host, uint64_t bytes);
  Status copy_out(void* to_host, const void* from, uint64_t bytes);
  Status copy(void* to, const void* from, uint64_t bytes);
  Status fill_zero(void* memory, uint64_t bytes);
  Status synchronize();

 private:
  Stream(Device& device, int lanes, ParallelFor parallel_for, const std::atomic<bool>* cancelled);
  Device* device_;
  CallContext context_;
  void* stream_ = nullptr;
};

// Memory on a device, freed with it. Begins as zeros.
class DeviceMemory {
 public:
  static Result<DeviceMemory> allocate(Stream& stream, uint64_t bytes);
  DeviceMemory() = default;
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();
  void* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  Device* device_ = nullptr;
  void* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace plait
