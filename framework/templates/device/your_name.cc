// A device: memory, streams and copies. This one is the host's memory in huge pages: fewer of the processor's
// page table entries are needed for large networks.
//
// Any kernel for the host runs on a device whose memory the host can touch. One with memory of its own also
// needs, for each type of layer, loss and optimizer that is to run on it: implementation<T>("vendor.type",
// "your_vendor.your_name").
#include <sys/mman.h>
#include <plait/sdk.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  int64_t page = 2;  // in MiB

  static void describe(Describe<YourName>& d) {
    d.doc("the host's memory in huge pages");
    d.field("page", &YourName::page)
        .doc("size of a huge page; smaller memory is in plain ones")
        .unit("MiB")
        .range(1, 1024);
  }
  DeviceInfo open(Context&) { return {.name = "your_name", .host_memory = true}; }

  void* allocate(Context&, uint64_t bytes) {
    if (bytes > UINT64_MAX / 2) throw std::bad_alloc();
    const uint64_t huge = static_cast<uint64_t>(page) << 20,
                   alignment = bytes >= huge ? huge_power(huge) : 64;
    const uint64_t rounded = std::max<uint64_t>((bytes + alignment - 1) / alignment * alignment, alignment);
    void* memory = std::aligned_alloc(alignment, rounded);
    if (!memory) throw std::bad_alloc();
    if (alignment > 64) madvise(memory, rounded, MADV_HUGEPAGE);  // a wish; plain pages serve as well
    return memory;
  }
  void release(void* memory) { std::free(memory); }

  // Work is done at once, so that every stream is the same.
  void* stream_create(Context&) { return this; }
  void stream_destroy(void*) {}
  void copy_in(Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void copy(Context&, void* to, const void* from, uint64_t bytes) { move(to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) {
    if (bytes > 0) std::memset(memory, 0, bytes);
  }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}

 private:
  static void move(void* to, const void* from, uint64_t bytes) {
    if (bytes > 0) std::memmove(to, from, bytes);
  }
  // Alignments are powers of two.
  static uint64_t huge_power(uint64_t bytes) {
    uint64_t power = 64;
    while (power < bytes) power *= 2;
    return power;
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             device<your_vendor::YourName>("your_vendor.your_name"));
