#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

TEST_CASE("says that it stands for another device, and does not open itself") {
  TestHost host;
  const Entry entry = linked("plait.auto");
  CHECK(entry.type.flags == PLAIT_TYPE_FIRST_FOUND);
  const auto& ops = *static_cast<const plait_device_ops*>(entry.implementation.ops);
  const Settings settings(entry);
  plait_device_info info{};
  void* self = nullptr;
  CHECK(ops.open(host.context(), settings.c(), &info, &self) == PLAIT_FAILED);
  CHECK(host.code == PLAIT_ERROR_UNSUPPORTED);
}
