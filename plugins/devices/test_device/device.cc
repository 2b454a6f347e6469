#include "device.h"

#include <cstring>

#include "sums.h"

namespace plait::test_device {
namespace {

struct CopyIn {
  void* to;
  const void* from;
  uint64_t bytes;
  const char* run(const Access& real) const {
    void* const there = real(static_cast<char*>(to));
    if (!there) return kForeign;
    std::memcpy(there, from, bytes);
    return nullptr;
  }
};
struct CopyOut {
  void* to;
  const void* from;
  uint64_t bytes;
  const char* run(const Access& real) const {
    const void* const here = real(static_cast<const char*>(from));
    if (!here) return kForeign;
    std::memcpy(to, here, bytes);
    return nullptr;
  }
};
struct Copy {
  char* to;
  const char* from;
  uint64_t bytes;
  const char* run(const Access& real) const {
    if (!real(to) || !real(from)) return kForeign;
    std::memmove(real(to), real(from), bytes);
    return nullptr;
  }
};
struct Zero {
  char* memory;
  uint64_t bytes;
  const char* run(const Access& real) const {
    if (!real(memory)) return kForeign;
    std::memset(real(memory), 0, bytes);
    return nullptr;
  }
};
struct Add {
  float* to;
  const float* from;
  uint64_t count;
  const char* run(const Access& real) const {
    float* const sum = real(to);
    const float* const part = real(from);
    if (!sum || !part) return kForeign;
    for (uint64_t i = 0; i < count; ++i) sum[i] += part[i];
    return nullptr;
  }
};

int enqueue_c(plait_context* context, Run run, const void* args, uint32_t bytes) noexcept {
  return sdk::detail::guard(context,
                            [&] { static_cast<WorkStream*>(context->stream)->enqueue(run, args, bytes); });
}
void* real_c(void* device, const void* shown) noexcept {
  return static_cast<TestDevice*>(device)->memory().real(shown);
}

}  // namespace

void TestDevice::copy_in(sdk::Context& c, void* to, const void* from, uint64_t bytes) {
  if (bytes > 0) enqueue(c, CopyIn{to, from, bytes});
}
void TestDevice::copy_out(sdk::Context& c, void* to, const void* from, uint64_t bytes) {
  if (bytes > 0) enqueue(c, CopyOut{to, from, bytes});
}
void TestDevice::copy(sdk::Context& c, void* to, const void* from, uint64_t bytes) {
  if (bytes > 0) enqueue(c, Copy{static_cast<char*>(to), static_cast<const char*>(from), bytes});
}
void TestDevice::fill_zero(sdk::Context& c, void* memory, uint64_t bytes) {
  if (bytes > 0) enqueue(c, Zero{static_cast<char*>(memory), bytes});
}
void TestDevice::add_f32(sdk::Context& c, float* to, const float* from, uint64_t count) {
  if (count > 0) enqueue(c, Add{to, from, count});
}
void TestDevice::synchronize(sdk::Context& c) { static_cast<WorkStream*>(c.stream())->synchronize(); }
void TestDevice::add_to_sums(sdk::Context& c, const plait_exact_sums& sums, const float* x,
                             const float* before, int32_t weight, uint32_t* not_finite) {
  if (sums.count > 0) enqueue(c, AddToSums{sums, x, before, weight, not_finite});
}
void TestDevice::mean_of_sums(sdk::Context& c, const plait_exact_sums& sums, double total_weight,
                              float* out) {
  if (sums.count > 0) enqueue(c, MeanOfSums{sums, total_weight, out});
}

const void* TestDevice::extension(std::string_view name) const {
  static const plait_test_device_queue queue{sizeof queue, WorkStream::kMaxBytes, &enqueue_c, &real_c};
  return name == PLAIT_TEST_DEVICE_QUEUE ? &queue : nullptr;
}

}  // namespace plait::test_device
