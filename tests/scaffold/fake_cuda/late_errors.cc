// A program of the device that `plait new device acme.gpu --cuda` writes, on the fake runtime: errors that
// arrive late, memory that is not there, and cards of other numbers.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what))      \
  return std::printf("%s:%d: not so: %s (\"%s\")\n", __FILE__, __LINE__, #what, host.message.c_str()), 1

int main() {
  TestHost host;
  const Entry entry = linked("acme.gpu");
  const auto& ops = *static_cast<const plait_device_ops*>(entry.implementation.ops);
  plait_device_info info{};
  void *self = nullptr, *stream = nullptr, *memory = nullptr;
  host.check(ops.open(host.context(), Settings(entry).set("card", 1).c(), &info, &self));
  CHECK(info.memory_bytes == uint64_t{1} << 30 && std::string(info.name) == "fake card");
  host.check(ops.stream_create(self, host.context(), &stream));
  const auto context = [&] {
    plait_context* c = host.context();
    c->device = self, c->stream = stream;
    return c;
  };

  CHECK(ops.allocate(self, context(), uint64_t{1} << 40, &memory) == PLAIT_FAILED);
  CHECK(host.code == PLAIT_ERROR_MEMORY);
  CHECK(host.message ==
        "out of memory on fake card: wanted 1099511627776 bytes, 1073741824 of 1073741824 are free");

  // The refusal is forgotten: a launch does not report it again. Opening a card makes it this thread's; work
  // on the other's stream finds its own.
  float numbers[2] = {3, 4};
  host.check(ops.allocate(self, context(), sizeof numbers, &memory));
  auto* const x = static_cast<float*>(memory);
  void* other = nullptr;
  host.check(ops.open(host.context(), Settings(entry).set("card", 0).c(), &info, &other));
  host.check(ops.copy_in(self, context(), x, numbers, sizeof numbers));
  host.check(ops.add_f32(self, context(), x, x, 2));
  host.check(ops.copy_out(self, context(), numbers, x, sizeof numbers));
  host.check(ops.synchronize(self, context()));
  CHECK(numbers[0] == 6 && numbers[1] == 8);

  // An address that is not the card's: the copy is queued, and told when it is waited for.
  CHECK(ops.copy(self, context(), x, numbers, sizeof numbers) == PLAIT_OK);
  CHECK(ops.synchronize(self, context()) == PLAIT_FAILED);
  CHECK(host.message ==
        "work on the card: an illegal memory access was encountered (cudaErrorIllegalAddress)");
  ops.release(self, memory);
  ops.stream_destroy(self, stream);
  ops.close(self);
  ops.close(other);

  CHECK(ops.open(host.context(), Settings(entry).set("card", 2).c(), &info, &self) == PLAIT_FAILED);
  CHECK(host.message == "no CUDA device of number 2: there are 2, counted from 0");
  return 0;
}
