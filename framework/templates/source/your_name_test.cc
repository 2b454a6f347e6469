// Tests of the source: what it says of itself, and that a record depends on its number alone.
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  const auto& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  const Settings settings = Settings(entry).set("count", 10).set("noise", 0);
  void* self = nullptr;
  host.check(ops.open(host.context(), settings.c(), &self));

  plait_source_info info{};
  info.struct_size = sizeof info;
  PartsTaken taken;
  host.check(ops.describe(self, host.context(), &info, taken.builder()));
  CHECK(info.count == 10 && info.n_classes == 2 && taken.parts.size() == 2);

  TestSample sample;
  for (const PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
  const auto read = [&](int64_t index) {
    host.check(ops.read(self, host.context(), index, sample.c()));
    return std::pair(sample.outputs[0].f32()[0], sample.outputs[0].f32()[1]);
  };
  const auto third = read(3);
  CHECK(sample.outputs[1].data<int32_t>()[0] == 1);
  CHECK(std::hypot(third.first, third.second) <= 1);
  CHECK(read(4) != third);
  CHECK(read(3) == third);
  ops.close(self);
  return 0;
}
