// A device in the host's memory that does all at once, for plugins whose fault is elsewhere: what is broken
// of it, a device derived from it writes anew.
#pragma once
#include <cstdlib>
#include <cstring>
#include <new>
#include <plait/sdk.hpp>

struct PlainDevice {
  char stream = 0;

  plait::sdk::DeviceInfo open(plait::sdk::Context&) { return {.name = "broken"}; }
  void* allocate(plait::sdk::Context&, uint64_t bytes) {
    if (bytes > uint64_t{1} << 40) throw std::bad_alloc();
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void release(void* memory) { std::free(memory); }
  void* stream_create(plait::sdk::Context&) { return &stream; }
  void stream_destroy(void*) {}
  void copy_in(plait::sdk::Context&, void* to, const void* from, uint64_t bytes) {
    std::memmove(to, from, bytes);
  }
  void copy_out(plait::sdk::Context&, void* to, const void* from, uint64_t bytes) {
    std::memmove(to, from, bytes);
  }
  void copy(plait::sdk::Context&, void* to, const void* from, uint64_t bytes) {
    std::memmove(to, from, bytes);
  }
  void fill_zero(plait::sdk::Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(plait::sdk::Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(plait::sdk::Context&) {}
};
