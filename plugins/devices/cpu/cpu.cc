// The host's processor and memory. A stream does its work at once, in the thread that calls.
#include <plait/sdk.hpp>

#include <cstdlib>
#include <cstring>

using namespace plait::sdk;

namespace {

constexpr size_t kAlignment = 64;

PLAIT_FAST void add(float* to, const float* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] += from[i];
}

struct Cpu {
  char stream = 0;  // streams have no state: all of them are this one

  static void describe(Describe<Cpu>& d) {
    d.doc("the host's processor and memory");
    d.default_of_kind();
  }
  DeviceInfo open(Context&) { return {.name = "cpu", .host_memory = true}; }

  void* allocate(Context&, uint64_t bytes) {
    const uint64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (rounded < bytes) throw std::bad_alloc();
    void* memory = std::aligned_alloc(kAlignment, rounded > 0 ? rounded : kAlignment);
    if (!memory) throw std::bad_alloc();
    return memory;
  }
  void release(void* memory) { std::free(memory); }
  void* stream_create(Context&) { return &stream; }
  void stream_destroy(void*) {}

  void copy_in(Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void copy(Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) {
    if (bytes > 0) std::memset(memory, 0, bytes);
  }
  void add_f32(Context&, float* to, const float* from, uint64_t count) { add(to, from, count); }
  void synchronize(Context&) {}

 private:
  static void move(void* to, const void* from, uint64_t bytes) {
    if (bytes > 0) std::memmove(to, from, bytes);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.cpu", "1.0.0", "Apache-2.0", device<Cpu>("plait.cpu"));
