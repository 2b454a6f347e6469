// Tests of the schedule: its value at some steps of a training of 100.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  Made<plait_schedule_ops> made(host, entry, Settings(entry).set("share", 0.5));
  const auto value_at = [&](int64_t step) {
    plait_schedule_call call{};
    call.struct_size = sizeof call;
    call.base = 2, call.step = step, call.total_steps = 100, call.steps_per_epoch = 10;
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    return value;
  };
  CHECK(value_at(0) == 2.0 / 50);
  CHECK(value_at(24) == 1);
  CHECK(value_at(49) == 2 && value_at(99) == 2);
  return 0;
}
