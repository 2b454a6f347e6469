// Tests of the device: copies and sums, and the derivative of the layer that runs on it.
#include <plait/sdk/testing_loss.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
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
  void *self = nullptr, *memory = nullptr, *stream = nullptr;
  host.check(ops.open(host.context(), settings.c(), &info, &self));
  host.check(ops.stream_create(self, host.context(), &stream));
  host.check(ops.allocate(self, host.context(), 4 * sizeof(float), &memory));
  CHECK(reinterpret_cast<uintptr_t>(memory) % 64 == 0);
  const float numbers[4] = {1, 2, 3, 4}, wanted[4] = {2, 4, 6, 8};
  float back[4] = {};
  host.check(ops.copy_in(self, host.context(), memory, numbers, sizeof numbers));
  host.check(ops.add_f32(self, host.context(), static_cast<float*>(memory), numbers, 4));
  host.check(ops.copy_out(self, host.context(), back, memory, sizeof back));
  host.check(ops.synchronize(self, host.context()));
  CHECK(std::memcmp(back, wanted, sizeof back) == 0);
  ops.release(self, memory);
  ops.stream_destroy(self, stream);
  ops.close(self);

  const Entry linear = linked("your_vendor.your_name_linear");
  LayerTest layer(host, linear, Settings(linear).set("units", 3), {{"x", DType::f32, {2, 4}}});
  CHECK(layer.gradient_error() < 1e-2);

  const Entry classes = linked("your_vendor.your_name_classes");
  LossTest loss(host, classes, Settings(classes), {"scores", DType::f32, {1, 2}}, {"label", DType::i32, {1}});
  loss.prediction.fill({0, 0});
  loss.target.data<int32_t>()[0] = 1;
  CHECK(std::abs(loss.compute() - std::log(2.0)) < 1e-6);
  CHECK(std::abs(loss.gradient.f32()[1] + 0.5f) < 1e-6f);
  return 0;
}
