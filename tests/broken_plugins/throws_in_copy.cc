// Throws in the middle of a copy.
// Caught by: order
// Words: copy: .*no more paper
#include <cstdlib>
#include <cstring>
#include <new>
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  char stream = 0;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
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
  void copy(Context&, void* to, const void* from, uint64_t bytes) {
    std::memmove(to, from, bytes);
    throw std::runtime_error("no more paper");
  }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_copy", "1.0.0", "Apache-2.0", device<Broken>("broken.throws_in_copy_device"));
