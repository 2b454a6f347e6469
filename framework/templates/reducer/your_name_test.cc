// Tests of the reducer: four shards by hand, one of them gone astray, and two shards, of which none can be
// left out.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  Made<plait_reducer_ops> made(host, entry, Settings(entry).set("trim", 1));
  const float a[2] = {1, -1}, b[2] = {2, -2}, c[2] = {4, -4}, astray[2] = {1e9f, 1e9f};
  const float* const deltas[4] = {a, b, c, astray};
  float combined[2] = {};
  host.check(made.ops().combine(made.self(), host.context(), 4, deltas, 2, combined));
  CHECK(combined[0] == 3 && combined[1] == -1.5f);

  host.check(made.ops().combine(made.self(), host.context(), 2, deltas, 2, combined));
  CHECK(combined[0] == 1.5f && combined[1] == -1.5f);
  return 0;
}
