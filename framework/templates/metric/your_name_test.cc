// Tests of the metric: two samples by hand, in one batch and in two.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  const auto& ops = *static_cast<const plait_metric_ops*>(entry.implementation.ops);
  TestTensor scores("scores", DType::f32, {2, 3}), labels("label", DType::i32, {2});
  scores.fill({1, 3, 0,    // class 1: first
               0, 1, 3});  // class 0: third
  labels.data<int32_t>()[0] = 1, labels.data<int32_t>()[1] = 0;

  const Settings settings(entry);
  const plait_tensor_spec p = scores.spec().c(), t = labels.spec().c();
  uint32_t size = 0;
  void* self = nullptr;
  host.check(ops.create(host.context(), settings.c(), &p, &t, &size, &self));
  std::vector<double> state(size);
  double value = 0;
  for (int batch = 0; batch < 2; ++batch) {
    host.check(ops.update(self, host.context(), scores.c(), labels.c(), state.data()));
    host.check(ops.finish(self, host.context(), state.data(), &value));
    CHECK(value == 2);
  }
  ops.destroy(self);
  return 0;
}
