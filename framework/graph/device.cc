#include "graph/device.h"

#include <fmt/format.h>

#include <cstring>
#include <new>
#include <utility>

namespace plait::inline graph {
namespace {

constexpr std::align_val_t kHostAlignment{64};

}  // namespace

Result<std::unique_ptr<Device>> Device::open(const Registry& registry, const TypeEntry& entry,
                                             const plait_config& config) {
  CallContext context;
  PLAIT_ASSIGN(Instance instance, create_instance(registry, entry, config, PLAIT_HOST_DEVICE, context));
  return std::unique_ptr<Device>(new Device(entry.type->id, std::move(instance)));
}

Stream::Stream(Device& device, int lanes, ParallelFor parallel_for, const std::atomic<bool>* cancelled)
    : device_(&device), context_(lanes, parallel_for, cancelled) {
  context_.set_device(&device.ops(), device.self(), nullptr);
}

Stream::~Stream() {
  if (stream_ != nullptr) device_->ops().stream_destroy(device_->self(), stream_);
}

template <class Function>
Status Stream::call(const char* what, Function&& function) {
  const Status status =
      context_.call([&] { return function(device_->ops(), device_->self(), context_.raw()); });
  return status ? status : status.at(fmt::format("device {}: {}", device_->id(), what));
}

Result<std::unique_ptr<Stream>> Stream::create(Device& device, int lanes, ParallelFor parallel_for,
                                               const std::atomic<bool>* cancelled) {
  std::unique_ptr<Stream> stream(new Stream(device, lanes, parallel_for, cancelled));
  void* handle = nullptr;
  PLAIT_TRY(stream->call("stream", [&](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.stream_create(self, context, &handle);
  }));
  stream->stream_ = handle;
  stream->context_.set_device(&device.ops(), device.self(), handle);
  return stream;
}

Status Stream::copy_in(void* to, const void* from_host, uint64_t bytes) {
  return call("copy in", [&](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.copy_in(self, context, to, from_host, bytes);
  });
}

Status Stream::copy_out(void* to_host, const void* from, uint64_t bytes) {
  return call("copy out", [&](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.copy_out(self, context, to_host, from, bytes);
  });
}

Status Stream::copy(void* to, const void* from, uint64_t bytes) {
  return call("copy", [&](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.copy(self, context, to, from, bytes);
  });
}

Status Stream::fill_zero(void* memory, uint64_t bytes) {
  return call("fill", [&](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.fill_zero(self, context, memory, bytes);
  });
}

Status Stream::add_to_sums(const plait_exact_sums& sums, const float* x, const float* before, int32_t weight,
                           uint32_t* not_finite) {
  return call("add_to_sums", [&](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.add_to_sums(self, context, &sums, x, before, weight, not_finite);
  });
}

Status Stream::mean_of_sums(const plait_exact_sums& sums, double total_weight, float* out) {
  return call("mean_of_sums", [&](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.mean_of_sums(self, context, &sums, total_weight, out);
  });
}

Status Stream::synchronize() {
  return call("synchronize", [](const plait_device_ops& ops, void* self, plait_context* context) {
    return ops.synchronize(self, context);
  });
}

Result<DeviceMemory> DeviceMemory::allocate(Stream& stream, uint64_t bytes) {
  DeviceMemory memory;
  if (bytes == 0) return memory;
  Device& device = stream.device();
  const Status status = stream.context().call(
      [&] { return device.ops().allocate(device.self(), stream.context().raw(), bytes, &memory.data_); });
  if (!status) return status.at(fmt::format("device {}: {} bytes of memory", device.id(), bytes));
  memory.device_ = &device;
  memory.bytes_ = bytes;
  PLAIT_TRY(stream.fill_zero(memory.data_, bytes));
  PLAIT_TRY(stream.synchronize());
  return memory;
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceMemory::~DeviceMemory() {
  if (data_ != nullptr) device_->ops().release(device_->self(), data_);
}

Result<HostMemory> HostMemory::allocate(Device& device, uint64_t bytes) {
  HostMemory memory;
  const plait_device_ops* const ops = &device.ops();
  if (PLAIT_HAS(ops, allocate_host) && !device.host_memory() && bytes > 0) {
    CallContext context;
    context.set_device(ops, device.self(), nullptr);
    void* data = nullptr;
    const Status status =
        context.call([&] { return ops->allocate_host(device.self(), context.raw(), bytes, &data); });
    if (!status) return status.at(fmt::format("device {}: {} bytes of host memory", device.id(), bytes));
    memory.device_ = &device;
    memory.data_ = static_cast<std::byte*>(data);
  } else {
    memory.data_ = static_cast<std::byte*>(::operator new(bytes + 1, kHostAlignment));
  }
  memory.bytes_ = bytes;
  std::memset(memory.data_, 0, bytes);
  return memory;
}

HostMemory::HostMemory(HostMemory&& other) noexcept { *this = std::move(other); }

HostMemory& HostMemory::operator=(HostMemory&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

HostMemory::~HostMemory() {
  if (device_ != nullptr) {
    device_->ops().release_host(device_->self(), data_);
  } else if (data_ != nullptr) {
    ::operator delete(data_, kHostAlignment);
  }
}

}  // namespace plait::inline graph
