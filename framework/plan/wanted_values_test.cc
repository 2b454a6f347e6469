#include "plan/wanted_values.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

namespace plait::inline plan {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();

ParameterInfo variance() {
  ParameterInfo info;
  info.buffer = true;
  info.reduce = PLAIT_REDUCE_VARIANCE;
  return info;
}

std::string unwanted(const ParameterInfo& info, const std::vector<float>& values) {
  return unwanted_value(info, values);
}

}  // namespace

TEST_CASE("a variance is 0 or more, other values any finite number") {
  ParameterInfo mean = variance();
  mean.reduce = PLAIT_REDUCE_MEAN32;
  ParameterInfo weight = variance();
  weight.buffer = false;
  CHECK(unwanted(variance(), {1, 0, -0.0f}).empty());
  CHECK(unwanted(mean, {-1}).empty());
  CHECK(unwanted(weight, {-1}).empty());
  CHECK(unwanted(variance(), {1, -0.5f, 2}) ==
        "value 1 of 3 is below 0, wanted finite numbers of at least 0, for a variance");
}

TEST_CASE("what is not finite is wanted nowhere") {
  ParameterInfo weight;
  CHECK(unwanted(weight, {1, -kInfinite}) == "value 1 of 2 is infinite, wanted finite numbers");
  CHECK(unwanted(weight, {std::numeric_limits<float>::quiet_NaN()}) ==
        "value 0 of 1 is NaN, wanted finite numbers");
  CHECK(unwanted(variance(), {kInfinite}) ==
        "value 0 of 1 is infinite, wanted finite numbers of at least 0, for a variance");
  CHECK(unwanted(weight, {}).empty());
}

}  // namespace plait::inline plan
