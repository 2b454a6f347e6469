#include "graph/device.h"

#include <fmt/format.h>

#include <utility>

namespace plait {

Result<std::unique_ptr<Device>> Device::open(const Registry& registry, const TypeEntry& entry,
                                             const plait_config& config) {
  CallContext context;
  PLAIT_ASSIGN(Instance instance, create_instance(registry, entry, config, PLAIT_HOST_DEVICE, context));
  return std::unique_ptr<Device>(new Device(entry.type->id, std::move(instance)));
}

Stream::Stream(Device& device, int lanes, ParallelFor parallel_for, const std::atomic<bool>* cancelled)
    : device_(&device), context_(lanes, parallel_for, cancelled) {
  context_.set_device(device.self(), nullptr);
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
  stream->context_.set_device(device.self(), handle);
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

}  // namespace plait
