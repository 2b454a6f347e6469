// A device plugin opened, and memory on it.
#pragma once
#include <plait/abi.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "base/status.h"
#include "registry/context.h"
#include "registry/instance.h"
#include "registry/registry.h"

namespace plait::inline graph {

// Threads: open [setup only]; everything else [any].
class Device {
 public:
  // Fails with: what the plugin reports.
  static Result<std::unique_ptr<Device>> open(const Registry& registry, const TypeEntry& entry,
                                              const plait_config& config);
  const std::string& id() const { return id_; }
  // The device id under which implementations that run on it are registered.
  std::string kernels() const { return host_memory() ? PLAIT_HOST_DEVICE : id_; }
  const plait_device_ops& ops() const { return *instance_.ops<plait_device_ops>(); }
  void* self() const { return instance_.self(); }
  // The host may read and write its memory: copies can be spared.
  bool host_memory() const { return (info().flags & PLAIT_DEVICE_HOST_MEMORY) != 0; }
  const plait_device_info& info() const { return instance_.device_info(); }

 private:
  Device(std::string id, Instance instance) : id_(std::move(id)), instance_(std::move(instance)) {}
  std::string id_;
  Instance instance_;
};

// A stream of a device with the context of its calls. Work is ordered on it; host memory of copies must live
// until synchronize.
// Fails with: what the plugin reports, which may be the failure of an earlier call.
// Threads: [one at a time]
class Stream {
 public:
  static Result<std::unique_ptr<Stream>> create(Device& device, int lanes, ParallelFor parallel_for,
                                                const std::atomic<bool>* cancelled = nullptr);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Device& device() const { return *device_; }
  CallContext& context() { return context_; }
  void* handle() const { return stream_; }  // for other contexts whose work is to be queued here
  Status copy_in(void* to, const void* from_host, uint64_t bytes);
  Status copy_out(void* to_host, const void* from, uint64_t bytes);
  Status copy(void* to, const void* from, uint64_t bytes);
  Status fill_zero(void* memory, uint64_t bytes);
  // Of a device that has them: see plait_device_ops.
  Status add_to_sums(const plait_exact_sums& sums, const float* x, const float* before, int32_t weight,
                     uint32_t* not_finite);
  Status mean_of_sums(const plait_exact_sums& sums, double total_weight, float* out);
  Status synchronize();

 private:
  Stream(Device& device, int lanes, ParallelFor parallel_for, const std::atomic<bool>* cancelled);
  template <class Function>
  Status call(const char* what, Function&& function);

  Device* device_;
  CallContext context_;
  void* stream_ = nullptr;
};

// Memory on a device, freed with it. Begins as zeros.
class DeviceMemory {
 public:
  // Fails with: kPlugin when the device refuses memory, naming the bytes.
  static Result<DeviceMemory> allocate(Stream& stream, uint64_t bytes);
  DeviceMemory() = default;
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();
  void* data() const { return data_; }  // null for 0 bytes
  uint64_t bytes() const { return bytes_; }

 private:
  Device* device_ = nullptr;
  void* data_ = nullptr;
  uint64_t bytes_ = 0;
};

// Host memory for copies from and to a device: what the device has for that (see plait_device_ops), else
// ordinary memory. 64-byte aligned. Begins as zeros.
class HostMemory {
 public:
  // Fails with: what the device reports, naming the bytes.
  static Result<HostMemory> allocate(Device& device, uint64_t bytes);
  HostMemory() = default;
  HostMemory(HostMemory&& other) noexcept;
  HostMemory& operator=(HostMemory&& other) noexcept;
  ~HostMemory();
  std::byte* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  Device* device_ = nullptr;  // null: ordinary memory
  std::byte* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace plait::inline graph
