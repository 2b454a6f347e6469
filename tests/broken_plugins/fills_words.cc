// Fills whole words only.
// Caught by: bounds
// Words: fill_zero of 65 bytes
#include <cstdlib>
#include <cstring>
#include <new>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  char stream = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  DeviceInfo open(Context&) { return {.name = "broken", .host_memory = true}; }
  void* allocate(Context&, uint64_t bytes) {
    if (bytes > uint64_t{1} << 40) throw std::bad_alloc();
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void release(void*) {}
  void* stream_create(Context&) { return &stream; }
  void stream_destroy(void*) {}
  void copy_in(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes / 8 * 8); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
};

}  // namespace

PLAIT_PLUGIN("broken.fills_words", "1.0.0", "Apache-2.0", device<Broken>("broken.fills_words_device"));
