#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cstdint>
#include <cstring>

using namespace plait::sdk::testing;
using plait::sdk::Entry;

namespace {

struct Device {
  TestHost host;
  Entry entry = linked("plait.cpu");
  Settings settings{entry};
  const plait_device_ops& ops = *static_cast<const plait_device_ops*>(entry.implementation.ops);
  plait_device_info info{};
  void* self = nullptr;
  Device() { host.check(ops.open(host.context(), settings.c(), &info, &self)); }
  ~Device() { ops.close(self); }
};

TEST_CASE("is the default device and lets the host touch its memory") {
  const Device device;
  CHECK((device.entry.type.flags & PLAIT_TYPE_DEFAULT_OF_KIND) != 0);
  CHECK((device.info.flags & PLAIT_DEVICE_HOST_MEMORY) != 0);
}

TEST_CASE("memory is aligned for every size, none at all included") {
  Device device;
  for (const uint64_t bytes : {0, 1, 63, 64, 65, 100'000}) {
    void* memory = nullptr;
    device.host.check(device.ops.allocate(device.self, device.host.context(), bytes, &memory));
    CHECK(reinterpret_cast<uintptr_t>(memory) % 64 == 0);
    device.ops.release(device.self, memory);
  }
}

TEST_CASE("a size that cannot be is refused as such") {
  Device device;
  void* memory = nullptr;
  for (const uint64_t bytes : {UINT64_MAX, uint64_t{1} << 62}) {
    CHECK(device.ops.allocate(device.self, device.host.context(), bytes, &memory) == PLAIT_FAILED);
    CHECK(device.host.code == PLAIT_ERROR_MEMORY);
  }
}

TEST_CASE("copies, zeros and sums") {
  Device device;
  auto* const context = device.host.context();
  const float source[4] = {1, 2, 3, 4};
  float a[4], b[4] = {9, 9, 9, 9}, back[4];
  device.host.check(device.ops.copy_in(device.self, context, a, source, sizeof a));
  device.host.check(device.ops.copy(device.self, context, b, a, 2 * sizeof(float)));
  device.host.check(device.ops.add_f32(device.self, context, a, b, 4));
  device.host.check(device.ops.fill_zero(device.self, context, b, sizeof(float)));
  device.host.check(device.ops.synchronize(device.self, context));
  device.host.check(device.ops.copy_out(device.self, context, back, a, sizeof a));
  const float sums[4] = {2, 4, 12, 13}, rest[4] = {0, 2, 9, 9};
  CHECK(std::memcmp(back, sums, sizeof sums) == 0);
  CHECK(std::memcmp(b, rest, sizeof rest) == 0);
}

}  // namespace
