// The device itself, and how implementations on it queue their work.
#pragma once
#include <plait/sdk.hpp>

#include <type_traits>

#include "hidden_memory.h"
#include "queue.h"
#include "work_stream.h"

namespace plait::test_device {

inline constexpr const char* kId = "plait.test_device";
inline constexpr const char* kForeign = "an address is not memory of the test device";

class TestDevice {
 public:
  static void describe(sdk::Describe<TestDevice>& d) {
    d.doc("asynchronous, with memory that the host cannot touch: for tests");
  }
  sdk::DeviceInfo open(sdk::Context&) { return {.name = "test device"}; }
  void* allocate(sdk::Context&, uint64_t bytes) { return memory_.allocate(bytes); }
  void release(void* memory) { memory_.release(memory); }
  void* stream_create(sdk::Context&) { return new WorkStream(this); }
  void stream_destroy(void* stream) { delete static_cast<WorkStream*>(stream); }
  void copy_in(sdk::Context& c, void* to, const void* from, uint64_t bytes);
  void copy_out(sdk::Context& c, void* to, const void* from, uint64_t bytes);
  void copy(sdk::Context& c, void* to, const void* from, uint64_t bytes);
  void fill_zero(sdk::Context& c, void* memory, uint64_t bytes);
  void add_f32(sdk::Context& c, float* to, const float* from, uint64_t count);
  void synchronize(sdk::Context& c);
  void add_to_sums(sdk::Context& c, const plait_exact_sums& sums, const float* x, const float* before,
                   int32_t weight, uint32_t* not_finite);
  void mean_of_sums(sdk::Context& c, const plait_exact_sums& sums, double total_weight, float* out);
  const void* extension(std::string_view name) const;

  const HiddenMemory& memory() const { return memory_; }

 private:
  HiddenMemory memory_;
};

// Turns addresses that were handed out into those that can be read, within a piece of work.
class Access {
 public:
  explicit Access(void* device) : memory_(static_cast<TestDevice*>(device)->memory()) {}
  template <class V>
  V* operator()(V* shown) const {
    return static_cast<V*>(memory_.real(shown));
  }

 private:
  const HiddenMemory& memory_;
};

// Queues Work's run(const Access&) on the context's stream. Work is copied: plain numbers and device
// addresses. run returns null or a static text that says why it failed.
template <class Work>
void enqueue(sdk::Context& c, const Work& work) {
  static_assert(std::is_trivially_copyable_v<Work> && sizeof(Work) <= WorkStream::kMaxBytes);
  const Run run = [](void* device, const void* args) {
    return static_cast<const Work*>(args)->run(Access(device));
  };
  static_cast<WorkStream*>(c.stream())->enqueue(run, &work, sizeof work);
}

}  // namespace plait::test_device
