// Keeps to itself that a copy from foreign memory went wrong.
// Caught by: late_error
// Words: says nothing of a copy .* went wrong
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <plait/sdk.hpp>
#include <set>

namespace {
using namespace plait::sdk;

struct Broken {
  char stream = 0;
  std::mutex mutex;
  std::set<void*> known;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  DeviceInfo open(Context&) { return {.name = "broken"}; }
  void* allocate(Context&, uint64_t bytes) {
    if (bytes > uint64_t{1} << 40) throw std::bad_alloc();
    void* const memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    const std::lock_guard lock(mutex);
    return *known.insert(memory).first;
  }
  void release(void* memory) {
    const std::lock_guard lock(mutex);
    known.erase(memory);
    std::free(memory);
  }
  void* stream_create(Context&) { return &stream; }
  void stream_destroy(void*) {}
  void copy_in(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy(Context&, void* to, const void* from, uint64_t bytes) {
    const std::lock_guard lock(mutex);
    if (known.count(const_cast<void*>(from)) > 0)
      std::memmove(to, from, bytes);  // else: an error, which is kept
  }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
};

}  // namespace

PLAIT_PLUGIN("broken.swallows_late_error", "1.0.0", "Apache-2.0",
             device<Broken>("broken.swallows_late_error_device"));
