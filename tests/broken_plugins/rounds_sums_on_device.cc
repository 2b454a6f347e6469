// A device whose exact sums cut off what they should round.
// Caught by: exact_mean
// Words: add_to_sums: element \d+ has .* in window
#include <plait/exact_sums.hpp>
#include <plait/sdk.hpp>

#include "plain_device.h"

namespace {
using namespace plait::sdk;

struct Own : PlainDevice {
  static void describe(Describe<Own>& d) { d.doc("broken on purpose"); }
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
