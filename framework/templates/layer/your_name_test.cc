// Tests of the layer: a value by hand, and backward against differences of forward.
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
  LayerTest test(host, entry, Settings(entry).set("beta", 2), {{"x", DType::f32, {4, 7}}});
  test.input().fill({0, 1});
  test.forward();
  CHECK(test.output().f32()[0] == 0);
  CHECK(std::abs(test.output().f32()[1] - 1 / (1 + std::exp(-2.0))) < 1e-6);
  CHECK(test.gradient_error() < 1e-2);
  return 0;
}
