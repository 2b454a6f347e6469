// Devices: memory, streams and copies.
//
//   DeviceInfo open(Context& c);
//   void* allocate(Context& c, uint64_t bytes);  // 64-byte aligned; std::bad_alloc when there is no room
//   void release(void* memory);                  // must not throw
//   void* stream_create(Context& c);
//   void stream_destroy(void* stream);           // waits for it; must not throw
//
// These queue on c.stream():
//   void copy_in(Context& c, void* device, const void* host, uint64_t bytes);
//   void copy_out(Context& c, void* host, const void* device, uint64_t bytes);
//   void copy(Context& c, void* to, const void* from, uint64_t bytes);
//   void fill_zero(Context& c, void* memory, uint64_t bytes);
//   void add_f32(Context& c, float* to, const float* from, uint64_t count);  // to += from
//
//   void synchronize(Context& c);                            // late errors are thrown here at the latest
//   const void* extension(std::string_view name);            // optional
//   void* allocate_host(Context& c, uint64_t bytes);         // optional, both: host memory from which copies
//   void release_host(void* memory);                         // do not wait; 64-byte aligned; must not throw
//   void record(Context& c);                // optional, all four: what is queued from now on
//   void* recorded(Context& c);             // is kept until here,
//   void repeat(Context& c, void* work);    // queued as often as wanted,
//   void forget(void* work);                // and given up; must not throw
//
// Optional, both: the mean of the shards on the device's memory. <plait/exact_sums.hpp> has the arithmetic of
// an element, and the words of plait_exact_sums say what it is:
//   void add_to_sums(Context& c, const plait_exact_sums& sums, const float* x, const float* before,
//                    int32_t weight, uint32_t* not_finite);
//   void mean_of_sums(Context& c, const plait_exact_sums& sums, double total_weight, float* out);
//
// The struct closes the device in its destructor.
// Threads: [any], one stream at a time.
#pragma once
#include <string_view>

#include "entry.hpp"

namespace plait::sdk {

struct DeviceInfo {
  const char* name = "";      // static, for people
  bool host_memory = false;   // the host may read and write its memory directly
  uint64_t memory_bytes = 0;  // 0: unknown
};

namespace detail {

template <class T>
concept IsDevice = requires(T& t, Context& c, void* m, const void* from, float* sum, const float* part,
                            uint64_t n) {
  { t.open(c) } -> std::convertible_to<DeviceInfo>;
  { t.allocate(c, n) } -> std::convertible_to<void*>;
  { t.release(m) } -> std::same_as<void>;
  { t.stream_create(c) } -> std::convertible_to<void*>;
  { t.stream_destroy(m) } -> std::same_as<void>;
  { t.copy_in(c, m, from, n) } -> std::same_as<void>;
  { t.copy_out(c, m, from, n) } -> std::same_as<void>;
  { t.copy(c, m, from, n) } -> std::same_as<void>;
  { t.fill_zero(c, m, n) } -> std::same_as<void>;
  { t.add_f32(c, sum, part, n) } -> std::same_as<void>;
  { t.synchronize(c) } -> std::same_as<void>;
};

template <class T>
concept AnswersExtensions = requires(T& t, std::string_view name) {
  { t.extension(name) } -> std::convertible_to<const void*>;
};

template <class T>
concept GivesHostMemory = requires(T& t, Context& c, void* m, uint64_t n) {
  { t.allocate_host(c, n) } -> std::convertible_to<void*>;
  { t.release_host(m) } -> std::same_as<void>;
};

template <class T>
concept RecordsWork = requires(T& t, Context& c, void* m) {
  { t.record(c) } -> std::same_as<void>;
  { t.recorded(c) } -> std::convertible_to<void*>;
  { t.repeat(c, m) } -> std::same_as<void>;
  { t.forget(m) } -> std::same_as<void>;
};

template <class T>
concept AddsExactly = requires(T& t, Context& c, const plait_exact_sums& sums, const float* x, uint32_t* bad,
                               float* out) {
  { t.add_to_sums(c, sums, x, x, int32_t{}, bad) } -> std::same_as<void>;
  { t.mean_of_sums(c, sums, double{}, out) } -> std::same_as<void>;
};

template <class T>
struct DeviceThunks {
  // Runs body(device, context) under the guard.
  template <class Body>
  static int call(void* self, plait_context* context, Body&& body) noexcept {
    return guard(context, [&] {
      Context c(context);
      body(*static_cast<T*>(self), c);
    });
  }
  static int open(plait_context* context, const plait_config* config, plait_device_info* info,
                  void** self) noexcept {
    return guard(context, [&] {
      Context c(context);
      auto made = std::make_unique<T>();
      read_config(context, config, *made);
      const DeviceInfo known = made->open(c);
      info->flags = known.host_memory ? PLAIT_DEVICE_HOST_MEMORY : 0;
      info->name = known.name;
      info->memory_bytes = known.memory_bytes;
      *self = made.release();
    });
  }
  static int allocate(void* self, plait_context* context, uint64_t bytes, void** memory) noexcept {
    return call(self, context, [&](T& d, Context& c) { *memory = d.allocate(c, bytes); });
  }
  static void release(void* self, void* memory) noexcept { static_cast<T*>(self)->release(memory); }
  static int stream_create(void* self, plait_context* context, void** stream) noexcept {
    return call(self, context, [&](T& d, Context& c) { *stream = d.stream_create(c); });
  }
  static void stream_destroy(void* self, void* stream) noexcept {
    static_cast<T*>(self)->stream_destroy(stream);
  }
  static int copy_in(void* self, plait_context* context, void* to, const void* from,
                     uint64_t bytes) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.copy_in(c, to, from, bytes); });
  }
  static int copy_out(void* self, plait_context* context, void* to, const void* from,
                      uint64_t bytes) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.copy_out(c, to, from, bytes); });
  }
  static int copy(void* self, plait_context* context, void* to, const void* from, uint64_t bytes) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.copy(c, to, from, bytes); });
  }
  static int fill_zero(void* self, plait_context* context, void* memory, uint64_t bytes) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.fill_zero(c, memory, bytes); });
  }
  static int add_f32(void* self, plait_context* context, float* to, const float* from,
                     uint64_t count) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.add_f32(c, to, from, count); });
  }
  static int synchronize(void* self, plait_context* context) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.synchronize(c); });
  }
  static const void* extension(void* self, const char* name) noexcept {
    if constexpr (AnswersExtensions<T>) return static_cast<T*>(self)->extension(name);
    return nullptr;
  }
  static int allocate_host(void* self, plait_context* context, uint64_t bytes, void** memory) noexcept {
    return call(self, context, [&](T& d, Context& c) { *memory = d.allocate_host(c, bytes); });
  }
  static void release_host(void* self, void* memory) noexcept { static_cast<T*>(self)->release_host(memory); }
  static int record(void* self, plait_context* context) noexcept {
    return call(self, context, [](T& d, Context& c) { d.record(c); });
  }
  static int recorded(void* self, plait_context* context, void** work) noexcept {
    return call(self, context, [&](T& d, Context& c) { *work = d.recorded(c); });
  }
  static int repeat(void* self, plait_context* context, void* work) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.repeat(c, work); });
  }
  static void forget(void* self, void* work) noexcept { static_cast<T*>(self)->forget(work); }
  static int add_to_sums(void* self, plait_context* context, const plait_exact_sums* sums, const float* x,
                         const float* before, int32_t weight, uint32_t* not_finite) noexcept {
    return call(self, context,
                [&](T& d, Context& c) { d.add_to_sums(c, *sums, x, before, weight, not_finite); });
  }
  static int mean_of_sums(void* self, plait_context* context, const plait_exact_sums* sums,
                          double total_weight, float* out) noexcept {
    return call(self, context, [&](T& d, Context& c) { d.mean_of_sums(c, *sums, total_weight, out); });
  }
};

template <class T>
const plait_device_ops* device_ops() {
  using Thunks = DeviceThunks<T>;
  static constexpr plait_device_ops ops = [] {
    plait_device_ops made{sizeof(plait_device_ops),
                          0,
                          &Thunks::open,
                          &destroy_thunk<T>,
                          &Thunks::allocate,
                          &Thunks::release,
                          &Thunks::stream_create,
                          &Thunks::stream_destroy,
                          &Thunks::copy_in,
                          &Thunks::copy_out,
                          &Thunks::copy,
                          &Thunks::fill_zero,
                          &Thunks::add_f32,
                          &Thunks::synchronize,
                          &Thunks::extension,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};
    if constexpr (GivesHostMemory<T>)
      made.allocate_host = &Thunks::allocate_host, made.release_host = &Thunks::release_host;
    if constexpr (RecordsWork<T>) {
      made.record = &Thunks::record, made.recorded = &Thunks::recorded;
      made.repeat = &Thunks::repeat, made.forget = &Thunks::forget;
    }
    if constexpr (AddsExactly<T>)
      made.add_to_sums = &Thunks::add_to_sums, made.mean_of_sums = &Thunks::mean_of_sums;
    return made;
  }();
  return &ops;
}

}  // namespace detail

// A device type and its implementation.
template <class T>
Entry device(const char* id) {
  static_assert(detail::IsDevice<T>,
                "a device needs all the functions at the head of <plait/sdk/device.hpp>");
  static_assert(
      !detail::constant_extension<T>() && (!detail::names_extension<T>() || detail::AnswersExtensions<T>),
      "extension is not: const void* extension(std::string_view name)");
  static_assert(
      !(detail::names_allocate_host<T>() || detail::names_release_host<T>()) || detail::GivesHostMemory<T>,
      "a device with one of them has both: void* allocate_host(Context& c, uint64_t bytes) and void "
      "release_host(void* memory)");
  static_assert(
      !(detail::names_record<T>() || detail::names_recorded<T>() || detail::names_repeat<T>() ||
        detail::names_forget<T>()) ||
          detail::RecordsWork<T>,
      "a device with one of them has all: void record(Context& c), void* recorded(Context& c), void "
      "repeat(Context& c, void* work), void forget(void* work)");
  static_assert(
      !(detail::names_add_to_sums<T>() || detail::names_mean_of_sums<T>()) || detail::AddsExactly<T>,
      "a device with one of them has both: void add_to_sums(Context& c, const plait_exact_sums& sums, const "
      "float* x, const float* before, int32_t weight, uint32_t* not_finite) and void mean_of_sums(Context& "
      "c, "
      "const plait_exact_sums& sums, double total_weight, float* out)");
  return detail::make_entry<T>("device", id, nullptr, kCpu, detail::device_ops<T>());
}

}  // namespace plait::sdk
