// A metric whose device does not wait for what it counts: a batch is in the state after the next one.
// Caught by: same_states
// Words: number 0 of the state is 0 on the device, 12 on the host, once the stream was waited for
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Own {
  char stream = 0;

  static void describe(Describe<Own>& d) { d.doc("broken on purpose"); }
  DeviceInfo open(Context&) { return {.name = "broken"}; }
  void* allocate(Context&, uint64_t bytes) {
    if (bytes > uint64_t{1} << 40) throw std::bad_alloc();
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void release(void* memory) { std::free(memory); }
  void* stream_create(Context&) { return &stream; }
  void stream_destroy(void*) {}
  void copy_in(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
};

struct There {
  static void describe(Describe<There>& d) { d.doc("broken on purpose"); }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    state[0] += static_cast<double>(left_.exchange(prediction.shape(0)));
  }

 private:
  mutable std::atomic<int64_t> left_ = 0;
};

struct Broken {
  static constexpr MetricValue values[] = {{"samples", MetricValue::kHigher, "how many there are"}};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    state[0] += static_cast<double>(prediction.shape(0));
  }
  void finish(std::span<const double> state, std::span<double> results) const { results[0] = state[0] > 0; }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_later_on_device", "1.0.0", "Apache-2.0",
             device<Own>("broken.counts_later_on_device"),
             metric<Broken>("broken.counts_later_on_device_metric"),
             implementation<There>("broken.counts_later_on_device_metric", "broken.counts_later_on_device"));
