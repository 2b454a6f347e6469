// Its kernel on a device goes wrong, which the device tells when it is waited for.
// Caught by: same_again
// Words: device broken.fails_late: synchronize: the kernel met an address
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

std::atomic<bool> fault{false};  // of work that is queued

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
  void synchronize(Context&) {
    if (fault.exchange(false)) throw Error("the kernel met an address that is not there");
  }
};

struct There {
  static void describe(Describe<There>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
    fault = true;
  }
  void backward(Context&, In x, In dy, Out dx) const {
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.fails_late", "1.0.0", "Apache-2.0", device<Own>("broken.fails_late"),
             layer<Broken>("broken.fails_late_layer"),
             implementation<There>("broken.fails_late_layer", "broken.fails_late"));
