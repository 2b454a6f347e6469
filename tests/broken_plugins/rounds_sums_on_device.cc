// A device whose exact sums cut off what they should round.
// Caught by: exact_mean
// Words: add_to_sums: element \d+ has .* in window
#include <cstdlib>
#include <cstring>
#include <new>
#include <plait/exact_sums.hpp>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Own {
  char stream = 0;

  static void describe(Describe<Own>& d) { d.doc("broken on purpose"); }
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
  void copy(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
  void add_to_sums(Context&, const plait_exact_sums& sums, const float* x, const float* before,
                   int32_t weight, uint32_t* not_finite) {
    for (uint64_t i = 0; i < sums.count; ++i) {
      const float value = before ? exact::difference(x[i], before[i]) : x[i];
      // The lowest bit of the fraction goes: a part that ends there is one unit too small.
      const float cut = exact::from_bits(exact::bits_of(value) & ~1u);
      if (!exact::is_finite(value))
        *not_finite = 1;
      else if (sums.is_wide)
        exact::add(exact::Sums<int64_t>(sums), i, cut, weight);
      else
        exact::add(exact::Sums<int32_t>(sums), i, cut, weight);
    }
  }
  void mean_of_sums(Context&, const plait_exact_sums& sums, double total_weight, float* out) {
    for (uint64_t i = 0; i < sums.count; ++i)
      out[i] = sums.is_wide ? exact::mean(exact::Sums<int64_t>(sums), i, total_weight)
                            : exact::mean(exact::Sums<int32_t>(sums), i, total_weight);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.rounds_sums_on_device", "1.0.0", "Apache-2.0",
             device<Own>("broken.rounds_sums_on_device"));
