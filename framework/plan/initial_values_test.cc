// What weights begin with: moments of the numbers that are drawn, and orthogonality to rounding. n numbers of
// deviation s have a mean off by s / sqrt(n), and a variance off by s^2 sqrt((k - 1) / n), where k is the
// fourth moment over s^4: 3 of the normal distribution, 9/5 of the uniform one, less of the truncated one.
// Bounds are five of these.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "plan/network.h"

namespace plait::inline plan {
namespace {

constexpr uint64_t kCount = 40000;

ParameterInfo parameter(const std::string& init, double a = 0, double b = 0) {
  ParameterInfo info;
  info.name = "c.weight";
  info.init = init;
  info.init_a = a, info.init_b = b;
  info.fan_in = 60, info.fan_out = 90;
  info.shape = {200, 200};
  info.elements = kCount;
  return info;
}

std::vector<float> drawn(const ParameterInfo& info) {
  std::vector<float> values(info.elements);
  const Status status = initial_values(info, 3, values.data());
  REQUIRE_MESSAGE(status.is_ok(), status.message());
  return values;
}

void check_moments(const ParameterInfo& info, double mean, double variance, double kurtosis) {
  CAPTURE(info.init);
  double sum = 0, squares = 0;
  const std::vector<float> values = drawn(info);
  const double n = static_cast<double>(values.size());
  for (const float value : values) sum += value, squares += (value - mean) * (value - mean);
  CHECK(std::abs(sum / n - mean) <= 5 * std::sqrt(variance / n));
  CHECK(std::abs(squares / n - variance) <= 5 * variance * std::sqrt((kurtosis - 1) / n));
}

double largest(const std::vector<float>& values) {
  double most = 0;
  for (const float value : values) most = std::max(most, std::abs(double{value}));
  return most;
}

// |V V^T - gain^2| of the shorter side's vectors, at most. Each product of two has `length` terms below 1
// that are rounded to f32 before: by length 2^-24 gain^2 at most, and much less in the sum of their squares.
void check_orthonormal(int64_t rows, int64_t columns, double gain) {
  ParameterInfo info = parameter("orthogonal");
  info.shape = {rows, columns};
  info.elements = static_cast<uint64_t>(rows * columns);
  info.gain = gain;
  const std::vector<float> values = drawn(info);
  const bool wide = rows <= columns;
  const int64_t count = std::min(rows, columns), length = std::max(rows, columns);
  const auto at = [&](int64_t k, int64_t i) {
    return double{values[static_cast<size_t>(wide ? k * columns + i : i * columns + k)]};
  };
  double most = 0;
  for (int64_t a = 0; a < count; ++a)
    for (int64_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (int64_t i = 0; i < length; ++i) sum += at(a, i) * at(b, i);
      most = std::max(most, std::abs(sum - (a == b ? gain * gain : 0)));
    }
  // By Cauchy-Schwarz the sum of |x| |e| with |e| <= 2^-24 |y| is at most 2^-24 |x| |y|, for either factor.
  CHECK(most <= 2.5 * 0x1p-24 * gain * gain);
}

}  // namespace

TEST_CASE("distributions have the mean and variance that they are named for") {
  check_moments(parameter("normal", 0.5, 2), 0.5, 4, 3);
  check_moments(parameter("uniform", -1, 3), 1, 16.0 / 12, 1.8);
  check_moments(parameter("he_normal"), 0, 2.0 / 60, 3);
  check_moments(parameter("he_uniform"), 0, 2.0 / 60, 1.8);
  check_moments(parameter("glorot_normal"), 0, 2.0 / 150, 3);
  check_moments(parameter("glorot_uniform"), 0, 2.0 / 150, 1.8);
  check_moments(parameter("lecun_normal"), 0, 1.0 / 60, 3);
  check_moments(parameter("lecun_uniform"), 0, 1.0 / 60, 1.8);
  for (const float value : drawn(parameter("constant", 0.25))) CHECK(value == 0.25f);
}

TEST_CASE("a gain is a factor, and he and lecun go by either fan") {
  ParameterInfo info = parameter("he_normal");
  info.gain = 0.5;
  check_moments(info, 0, 0.25 * 2.0 / 60, 3);
  info.by_fan_out = true;
  check_moments(info, 0, 0.25 * 2.0 / 90, 3);
  info = parameter("glorot_uniform");
  info.gain = 3;
  check_moments(info, 0, 9 * 2.0 / 150, 1.8);
  CHECK(largest(drawn(info)) <= 3 * std::sqrt(6.0 / 150));
}

TEST_CASE("the truncated normal distribution ends at two deviations") {
  const ParameterInfo info = parameter("truncated_normal", 1, 0.5);
  std::vector<float> off = drawn(info);
  for (float& value : off) value -= 1;
  CHECK(largest(off) <= 1.0 + 0x1p-23);
  CHECK(largest(off) > 0.99);
  // Of the standard one between -2 and 2: 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737413.
  check_moments(info, 1, 0.25 * 0.7737413, 3);
}

TEST_CASE("orthogonal: rows or columns are orthonormal, whichever are fewer") {
  check_orthonormal(20, 20, 1);
  check_orthonormal(7, 50, 1);
  check_orthonormal(50, 7, 1);
  check_orthonormal(1, 5, 1);
  check_orthonormal(64, 300, 1.4142135623730951);
}

TEST_CASE("of a convolution the rows are what each filter sees") {
  ParameterInfo info = parameter("orthogonal");
  info.shape = {4, 3, 2, 2};
  info.elements = 48;
  const std::vector<float> flat = [&] {
    ParameterInfo matrix = info;
    matrix.shape = {4, 12};
    return drawn(matrix);
  }();
  CHECK(drawn(info) == flat);
  info.shape = {48};
  std::vector<float> values(48);
  const Status refused = initial_values(info, 3, values.data());
  CHECK(refused.message().find("got [48], wanted 2 or more axes") != std::string::npos);
}

}  // namespace plait::inline plan
