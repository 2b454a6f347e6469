// A device that divides the exact sums in f32.
// Caught by: exact_mean
// Words: mean_of_sums: element \d+ is
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
      if (!exact::is_finite(value))
        *not_finite = 1;
      else if (sums.is_wide)
        exact::add(exact::Sums<int64_t>(sums), i, value, weight);
      else
        exact::add(exact::Sums<int32_t>(sums), i, value, weight);
    }
  }
  void mean_of_sums(Context&, const plait_exact_sums& sums, double total_weight, float* out) {
    for (uint64_t i = 0; i < sums.count; ++i)
      out[i] = (sums.is_wide ? exact::mean(exact::Sums<int64_t>(sums), i, 1)
                             : exact::mean(exact::Sums<int32_t>(sums), i, 1)) /
               static_cast<float>(total_weight);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.mean_in_f32_on_device", "1.0.0", "Apache-2.0",
             device<Own>("broken.mean_in_f32_on_device"));
