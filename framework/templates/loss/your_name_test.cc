// Tests of the loss: two samples by hand, with their gradient, and a class that does not exist.
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  LossTest test(host, entry, Settings(entry), {"scores", DType::f32, {2, 3}}, {"label", DType::i32, {2}});
  test.prediction.fill({1, 3, 0,    // class 1 wins by 2: no loss
                        0, 1, 3});  // class 0 loses by 3: a loss of 4
  const auto labels = test.target.data<int32_t>();
  labels[0] = 1, labels[1] = 0;
  CHECK(test.compute() == 2);
  const float wanted[6] = {0, 0, 0, -0.5f, 0, 0.5f};
  for (size_t i = 0; i < 6; ++i) CHECK(test.gradient.f32()[i] == wanted[i]);

  labels[1] = 3;
  test.compute();
  CHECK(test.bad_target == 1);
  return 0;
}
