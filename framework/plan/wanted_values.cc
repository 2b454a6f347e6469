#include "plan/wanted_values.h"

#include <algorithm>
#include <cmath>

namespace plait::inline plan {
namespace {

const char* word_of(float bad) { return std::isnan(bad) ? "NaN" : std::isinf(bad) ? "infinite" : "below 0"; }

}  // namespace

std::string unwanted_value(const ParameterInfo& parameter, std::span<const float> values) {
  const bool is_variance = parameter.buffer && parameter.reduce == PLAIT_REDUCE_VARIANCE;
  const auto bad = std::ranges::find_if(
      values, [&](float value) { return !std::isfinite(value) || (is_variance && value < 0); });
  if (bad == values.end()) return "";
  return "value " + std::to_string(bad - values.begin()) + " of " + std::to_string(values.size()) + " is " +
         word_of(*bad) + ", wanted finite numbers" + (is_variance ? " of at least 0, for a variance" : "");
}

}  // namespace plait::inline plan
