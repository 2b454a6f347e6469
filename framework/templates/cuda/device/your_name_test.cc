// Tests of the device: memory of all sizes, copies, zeros and sums. Without a card they are skipped.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>
#include <cstring>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  const auto& ops = *static_cast<const plait_device_ops*>(entry.implementation.ops);
  const Settings settings(entry);
  plait_device_info info{};
  info.struct_size = sizeof info;
  void *self = nullptr, *stream = nullptr, *memory = nullptr;
  if (ops.open(host.context(), settings.c(), &info, &self) != PLAIT_OK) {
    std::printf("skipped: %s\n", host.message.c_str());
    CHECK(host.code == PLAIT_ERROR_UNSUPPORTED);
    return 0;
  }
  CHECK((info.flags & PLAIT_DEVICE_HOST_MEMORY) == 0);
  host.check(ops.stream_create(self, host.context(), &stream));
  const auto context = [&] {
    plait_context* c = host.context();
    c->device = self, c->stream = stream;
    return c;
  };
  for (const uint64_t bytes : {0, 1, 64, 1 << 20, 5 << 20}) {
    host.check(ops.allocate(self, context(), bytes, &memory));
    CHECK(reinterpret_cast<uintptr_t>(memory) % 64 == 0);
    host.check(ops.fill_zero(self, context(), memory, bytes));
    host.check(ops.synchronize(self, context()));
    ops.release(self, memory);
  }
  CHECK(ops.allocate(self, context(), uint64_t{1} << 60, &memory) != PLAIT_OK);
  CHECK(host.code == PLAIT_ERROR_MEMORY);

  const float numbers[4] = {1, 2, 3, 4}, wanted[4] = {2, 4, 6, 8};
  float back[4] = {};
  host.check(ops.allocate(self, context(), 2 * sizeof numbers, &memory));
  auto* const a = static_cast<float*>(memory);
  float* const b = a + 4;
  host.check(ops.copy_in(self, context(), a, numbers, sizeof numbers));
  host.check(ops.copy(self, context(), b, a, sizeof numbers));
  host.check(ops.add_f32(self, context(), a, b, 4));
  host.check(ops.copy_out(self, context(), back, a, sizeof back));
  host.check(ops.synchronize(self, context()));
  CHECK(std::memcmp(back, wanted, sizeof back) == 0);
  ops.release(self, memory);
  ops.stream_destroy(self, stream);
  ops.close(self);
  return 0;
}
