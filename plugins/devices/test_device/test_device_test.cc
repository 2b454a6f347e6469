#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <csignal>
#include <cstring>

#include "accuracy.h"
#include "device.h"
#include "layers.h"
#include "samples.h"
#include "sums.h"
#include "training.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
using namespace plait::test_device;

namespace {

// The device opened, with one stream, driven through its table.
struct Device {
  TestHost host;
  Entry entry = linked(kId);
  Settings settings{entry};
  const plait_device_ops& ops = *static_cast<const plait_device_ops*>(entry.implementation.ops);
  plait_device_info info{};
  void *self = nullptr, *stream = nullptr;

  Device() {
    host.check(ops.open(host.context(), settings.c(), &info, &self));
    host.check(ops.stream_create(self, host.context(), &stream));
  }
  ~Device() {
    ops.stream_destroy(self, stream);
    ops.close(self);
  }
  plait_context* context() {
    plait_context* c = host.context();
    c->device = self;
    c->stream = stream;
    return c;
  }
  template <class V>
  V* memory(std::vector<V> values) {
    void* shown = nullptr;
    const uint64_t bytes = values.size() * sizeof(V);
    host.check(ops.allocate(self, context(), bytes, &shown));
    host.check(ops.copy_in(self, context(), shown, values.data(), bytes));
    host.check(ops.synchronize(self, context()));
    return static_cast<V*>(shown);
  }
  template <class V>
  std::vector<V> read(const V* shown, size_t count) {
    std::vector<V> values(count);
    host.check(ops.copy_out(self, context(), values.data(), shown, count * sizeof(V)));
    host.check(ops.synchronize(self, context()));
    return values;
  }
  template <class Work>
  void queue(const Work& work) {
    Context c(context());
    enqueue(c, work);
  }
};

// The signal that ends a child process which does body().
template <class Body>
int signal_of(Body&& body) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_CASE("the host can neither read nor write its memory") {
  Device device;
  CHECK((device.info.flags & PLAIT_DEVICE_HOST_MEMORY) == 0);
  volatile float* memory = device.memory<float>({1, 2});
  CHECK(signal_of([&] { (void)memory[1]; }) == SIGSEGV);
  CHECK(signal_of([&] { memory[0] = 3; }) == SIGSEGV);
  CHECK(signal_of([] {}) == 0);
}

TEST_CASE("copies, zeros and sums, in the middle of memory too") {
  Device device;
  float* a = device.memory<float>({1, 2, 3, 4});
  float* b = device.memory<float>({10, 20, 30, 40});
  device.host.check(device.ops.add_f32(device.self, device.context(), a + 1, b, 2));
  device.host.check(device.ops.copy(device.self, device.context(), b, a, 8));
  device.host.check(device.ops.fill_zero(device.self, device.context(), a + 3, 4));
  CHECK(device.read(a, 4) == std::vector<float>{1, 12, 23, 0});
  CHECK(device.read(b, 4) == std::vector<float>{1, 12, 30, 40});
}

TEST_CASE("work is ordered on its stream, also when there is more than the queue holds") {
  Device device;
  float* x = device.memory<float>({1});
  for (int i = 0; i < 1000; ++i) {
    if (i % 100 == 0) device.host.check(device.ops.fill_zero(device.self, device.context(), x, 4));
    device.host.check(device.ops.add_f32(device.self, device.context(), x, x, 1));
  }
  CHECK(device.read(x, 1)[0] == 0);
}

TEST_CASE("an error arrives late, once, and leaves out what is queued after it") {
  Device device;
  float* x = device.memory<float>({1});
  float host_number = 7;
  CHECK(device.ops.copy(device.self, device.context(), x, &host_number, 4) == PLAIT_OK);
  CHECK(device.ops.synchronize(device.self, device.context()) == PLAIT_FAILED);
  CHECK(device.host.message == "an address is not memory of the test device");
  CHECK(device.ops.synchronize(device.self, device.context()) == PLAIT_OK);
  CHECK(device.read(x, 1)[0] == 1);
}

TEST_CASE("memory that was given back is no longer the device's") {
  Device device;
  float* x = device.memory<float>({1});
  device.ops.release(device.self, x);
  CHECK(device.ops.fill_zero(device.self, device.context(), x, 4) == PLAIT_OK);
  CHECK(device.ops.synchronize(device.self, device.context()) == PLAIT_FAILED);
  void* memory = nullptr;
  CHECK(device.ops.allocate(device.self, device.context(), UINT64_MAX, &memory) == PLAIT_FAILED);
  CHECK(device.host.code == PLAIT_ERROR_MEMORY);
}

// Work of another library, by the extension.
struct Square {
  const plait_test_device_queue* queue;
  float* x;
};
const char* square(void* device, const void* args) {
  const auto& work = *static_cast<const Square*>(args);
  auto* x = static_cast<float*>(work.queue->real(device, work.x));
  if (!x) return "no memory";
  *x *= *x;
  return nullptr;
}

TEST_CASE("the extension queues anybody's work") {
  Device device;
  const auto* queue = static_cast<const plait_test_device_queue*>(
      device.ops.get_extension(device.self, PLAIT_TEST_DEVICE_QUEUE));
  REQUIRE(queue);
  CHECK(!device.ops.get_extension(device.self, "plait.test_device.other/1"));
  Square work{queue, device.memory<float>({3})};
  device.host.check(queue->enqueue(device.context(), &square, &work, sizeof work));
  work.x = nullptr;  // it was copied
  CHECK(device.read(device.memory<float>({0}), 1)[0] == 0);
  Square again{queue, nullptr};
  device.host.check(queue->enqueue(device.context(), &square, &again, sizeof again));
  CHECK(queue->enqueue(device.context(), &square, &again, 100'000) == PLAIT_FAILED);
  CHECK(device.ops.synchronize(device.self, device.context()) == PLAIT_FAILED);
  CHECK(device.host.message == "no memory");
}

TEST_CASE("dense with relu: by hand") {
  Device device;
  // x [1, 2], w [2, 2], b: y = relu(x w^T + b) = relu(1 + 4 + 1, -1 + 2 - 3).
  float* x = device.memory<float>({1, 2});
  float* w = device.memory<float>({1, 2, -1, 1});
  float* b = device.memory<float>({1, -3});
  float* y = device.memory<float>({9, 9});
  const Function relu{Function::kRelu, 0, 0};
  device.queue(DenseForward{x, w, b, y, 1, 2, 2, relu});
  CHECK(device.read(y, 2) == std::vector<float>{6, 0});
  float* dy = device.memory<float>({0.5f, 100});
  float *dx = device.memory<float>({9, 9}), *dw = device.memory<float>({9, 9, 9, 9}),
        *db = device.memory<float>({9, 9});
  device.queue(DenseBackward{x, w, y, dy, dx, dw, db, 1, 2, 2, relu});
  CHECK(device.read(dx, 2) == std::vector<float>{0.5f, 1});
  CHECK(device.read(dw, 4) == std::vector<float>{0.5f, 1, 0, 0});
  CHECK(device.read(db, 2) == std::vector<float>{0.5f, 0});
}

TEST_CASE("softmax cross entropy and sgd: by hand") {
  Device device;
  float* x = device.memory<float>({0, 0, std::log(3.0f), 0});
  int32_t* labels = device.memory<int32_t>({0, 5});
  float* dx = device.memory<float>({9, 9, 9, 9});
  double* result = device.memory<double>({0, 0});
  int32_t* bad = device.memory<int32_t>({-1});
  device.queue(CrossEntropyWork{x, labels, dx, result, bad, 2, 2, DType::i32, 1});
  CHECK(device.read(dx, 4) == std::vector<float>{-0.25f, 0.25f, 0, 0});
  CHECK(device.read(result, 2)[0] == doctest::Approx(std::log(2.0)).epsilon(1e-15));
  CHECK(device.read(result, 2)[1] == 2);
  CHECK(device.read(bad, 1)[0] == 1);

  float *w = device.memory<float>({1}), *g = device.memory<float>({2}), *v = device.memory<float>({4});
  device.queue(SgdWork{w, g, v, 1, 0.5f, 0.25f, 1, false});  // d = 3, v = 4
  CHECK(device.read(v, 1)[0] == 4);
  CHECK(device.read(w, 1)[0] == -1);
}

TEST_CASE("sums of shards and their mean: by hand") {
  Device device;
  float* x = device.memory<float>({1, -2, 0x1p-140f, 3});
  float* before = device.memory<float>({0.5f, 1, 0, 3});
  int32_t *high = device.memory<int32_t>({0, 0, 0, 0}), *low = device.memory<int32_t>({0, 0, 0, 0});
  uint8_t* window = device.memory<uint8_t>({0, 0, 0, 0});
  uint32_t* bad = device.memory<uint32_t>({0});
  float* mean = device.memory<float>({9, 9, 9, 9});
  const plait_exact_sums sums{sizeof sums, 0, 4, high, low, window};
  const auto add = [&](const float* others, int32_t weight) {
    device.host.check(device.ops.add_to_sums(device.self, device.context(), &sums, x, others, weight, bad));
  };
  add(before, 2);   // 0.5, -3, 0 (a difference below the least normal number), 0
  add(nullptr, 1);  // 1, -2, 2^-140, 3
  device.host.check(device.ops.mean_of_sums(device.self, device.context(), &sums, 3, mean));
  CHECK(device.read(mean, 4) == std::vector<float>{2 / 3.0f, -8 / 3.0f, 171 * 0x1p-149f, 1});
  // 1 = 2^5 units of 2^-5: window 6 counts units of 2^(144 - 149).
  CHECK(device.read(window, 1)[0] == 6);
  CHECK(device.read(high, 1)[0] == 2 * 16 + 32);
  CHECK(device.read(bad, 1)[0] == 0);
  x = device.memory<float>({1, NAN, 1, 1});
  add(nullptr, 1);
  CHECK(device.read(bad, 1)[0] == 1);
  float host_number = 7;
  CHECK(device.ops.add_to_sums(device.self, device.context(), &sums, &host_number, nullptr, 1, bad) ==
        PLAIT_OK);
  CHECK(device.ops.synchronize(device.self, device.context()) == PLAIT_FAILED);
  CHECK(device.host.message == kForeign);
}

TEST_CASE("accuracy: by hand, also of targets that are no classes") {
  Device device;
  float* scores = device.memory<float>({1, 2, 2, 1, 1, 1, NAN, 1, 5, 0});
  double* state = device.memory<double>({1, 1});
  const void* labels = device.memory<int64_t>({1, 0, 1, 0, 2});
  device.queue(AccuracyWork{scores, labels, state, 5, 2, DType::i64, 1});
  CHECK(device.read(state, 2) ==
        std::vector<double>{3, 6});  // of equal scores the first; NaN and 2 are wrong
  labels = device.memory<float>({1, -0.5f, 1, 0, NAN});
  device.queue(AccuracyWork{scores, labels, state, 5, 2, DType::f32, 2});
  CHECK(device.read(state, 2) == std::vector<double>{5, 11});
}

TEST_CASE("flip draws for each sample what the host draws") {
  Device device;
  constexpr uint64_t kSamples = 50;
  std::vector<plait_rng> rngs;
  std::vector<uint8_t> pictures, wanted;
  for (uint64_t n = 0; n < kSamples; ++n) {
    rngs.push_back({3, n});
    Random drawn(rngs.back());
    const bool across = drawn.chance(0.5), down = drawn.chance(0.25);
    const uint8_t a = static_cast<uint8_t>(4 * n), b = a + 1, c = a + 2, d = a + 3;
    pictures.insert(pictures.end(), {a, b, c, d});
    if (across && down) wanted.insert(wanted.end(), {d, c, b, a});
    if (across && !down) wanted.insert(wanted.end(), {b, a, d, c});
    if (!across && down) wanted.insert(wanted.end(), {c, d, a, b});
    if (!across && !down) wanted.insert(wanted.end(), {a, b, c, d});
  }
  const auto* x = reinterpret_cast<const char*>(device.memory(pictures));
  uint8_t* y = device.memory(std::vector<uint8_t>(pictures.size()));
  device.queue(FlipWork{x, reinterpret_cast<char*>(y), device.memory(rngs), kSamples, 2, 2, 1, 0.5, 0.25});
  CHECK(device.read(y, wanted.size()) == wanted);
}

TEST_CASE("normalize: by hand") {
  Device device;
  NormalizeWork work{
      device.memory<uint8_t>({0, 10, 20, 30}), device.memory<float>({0, 0, 0, 0}), 4, 2, DType::u8, {}, {}};
  work.factors = {0.5f, 2}, work.offsets = {1, -1};
  device.queue(work);
  CHECK(device.read(work.y, 4) == std::vector<float>{1, 19, 11, 59});
}

TEST_CASE("the library has implementations, and describes none of their types") {
  for (const char* id : {"plait.dense", "plait.relu", "plait.flatten", "plait.softmax_cross_entropy",
                         "plait.sgd", "plait.accuracy", "plait.flip", "plait.normalize"}) {
    const Entry entry = linked(id);
    CHECK(entry.type.struct_size == 0);
    CHECK(std::string(entry.implementation.device_id) == kId);
  }
}

}  // namespace
