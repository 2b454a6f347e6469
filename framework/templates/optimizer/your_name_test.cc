// Tests of the optimizer: two steps by hand, and the law that zeros stay zeros.
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  const double rate = 0.25, momentum = 0.5;
  OptimizerTest test(host, entry, Settings(entry).set("rate", rate).set("momentum", momentum), 2,
                     {rate, momentum});
  test.weights.fill({1, 1});
  test.gradients.fill({3, -7});
  test.step();
  CHECK(test.weights.f32()[0] == 0.75f && test.weights.f32()[1] == 1.25f);
  test.gradients.fill({-1, 0});  // the average, 1.5 / 2 - 1 / 2, still points up
  test.step();
  CHECK(test.weights.f32()[0] == 0.5f && test.weights.f32()[1] == 1.5f);

  OptimizerTest zeros(host, entry, Settings(entry), 100, {rate, momentum});
  CHECK(zeros.keeps_zeros());
  return 0;
}
