// Copies when the memory is asked for, and synchronize does not wait for it.
// Caught by: synchronize
// Words: copy_in of .* bytes was not done when synchronize came back
#include <cstring>
#include <mutex>
#include <new>
#include <plait/sdk.hpp>
#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  struct Copy {
    void* to;
    const void* from;
    uint64_t bytes;
  };
  std::mutex mutex;
  std::vector<Copy> waiting;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  DeviceInfo open(Context&) {
    DeviceInfo info;
    info.name = "later";
    info.memory_bytes = 1u << 28;
    return info;
  }
  void* allocate(Context&, uint64_t bytes) {
    if (bytes > 1u << 28) throw std::bad_alloc();
    return ::operator new(bytes, std::align_val_t(64));
  }
  void release(void* memory) { ::operator delete(memory, std::align_val_t(64)); }
  void* stream_create(Context&) { return new int(0); }
  void stream_destroy(void* stream) { delete static_cast<int*>(stream); }
  void work_off() {
    const std::lock_guard lock(mutex);
    for (const Copy& copy : waiting) std::memcpy(copy.to, copy.from, copy.bytes);
    waiting.clear();
  }
  void copy_in(Context&, void* to, const void* from, uint64_t bytes) {
    const std::lock_guard lock(mutex);
    waiting.push_back({to, from, bytes});
  }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) {
    work_off();
    std::memcpy(to, from, bytes);
  }
  void copy(Context& c, void* to, const void* from, uint64_t bytes) { copy_out(c, to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) {
    work_off();
    std::memset(memory, 0, bytes);
  }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    work_off();
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
};

}  // namespace

PLAIT_PLUGIN("broken.copies_later", "1.0.0", "Apache-2.0", device<Broken>("broken.copies_later_device"));
