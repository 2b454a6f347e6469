// Functions against the library's in f64. Errors are relative, so that small results count as much as large.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <plait/functions.hpp>
#include <vector>

using namespace plait::sdk;

namespace {

// Units of the last place of a result of 1, 2^-24: an addition or product is off by one at most.
constexpr double kUnit = 0x1p-24;

// From low to high in even steps, and of each sign from 2 down to 2^-20 in uneven ones.
std::vector<float> numbers(double low, double high) {
  std::vector<float> x;
  for (int i = 0; i <= 20000; ++i) x.push_back(static_cast<float>(low + (high - low) * i / 20000));
  for (double size = 1.37; size > 0x1p-20; size /= 1.7) {
    x.push_back(static_cast<float>(size));
    if (low < 0) x.push_back(static_cast<float>(-size));
  }
  return x;
}

template <class Function, class Reference>
double error(double low, double high, const Function& f, const Reference& wanted) {
  double worst = 0;
  for (const float x : numbers(low, high)) {
    const double y = wanted(double{x}), off = std::abs(f(x) - y) / std::abs(y);
    if (y != 0 && !(off <= worst)) worst = off;
  }
  return worst;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double below(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }
double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }

}  // namespace

TEST_CASE("functions are exact to some units of the last place, large and small") {
  CHECK(error(
            -86, 88, [](float x) { return exp_of(x); }, [](double x) { return std::exp(x); }) <= 2 * kUnit);
  CHECK(error(
            -86, 88, [](float x) { return expm1_of(x); }, [](double x) { return std::expm1(x); }) <=
        3 * kUnit);
  CHECK(error(
            0, 1, [](float x) { return log1p_of(x); }, [](double x) { return std::log1p(x); }) <= 4 * kUnit);
  CHECK(error(
            -86, 88, [](float x) { return sigmoid_of(x); }, logistic) <= 5 * kUnit);
  CHECK(error(
            -30, 30, [](float x) { return tanh_of(x); }, [](double x) { return std::tanh(x); }) <= 5 * kUnit);
  CHECK(error(
            -86, 88, [](float x) { return softplus_of(x); }, softplus) <= 5 * kUnit);
  CHECK(error(
            -12.9, 12.9, [](float x) { return normal_at(x).below; }, below) <= 8 * kUnit);
  CHECK(error(
            -12.9, 12.9, [](float x) { return normal_at(x).density; }, density) <= 5 * kUnit);
}

TEST_CASE("sums and products of any number of terms") {
  std::vector<float> x, y;
  double sum = 0, dot = 0;
  for (int i = 0; i < 40; ++i) {  // whole numbers: exact in any order
    CHECK(sum_of(x.data(), x.size()) == sum);
    CHECK(dot_of(x.data(), y.data(), x.size()) == dot);
    x.push_back(static_cast<float>(i * 37 % 101 - 50)), y.push_back(static_cast<float>(i * 53 % 97 - 40));
    sum += x.back(), dot += double{x.back()} * y.back();
  }
}

TEST_CASE("functions far out") {
  for (const float x : {100.0f, 1e30f, INFINITY}) {
    CHECK(exp_of(-x) == doctest::Approx(0).epsilon(1e-37));
    CHECK(exp_of(x) == doctest::Approx(std::exp(88.0)));
    CHECK(expm1_of(-x) == -1);
    CHECK(sigmoid_of(x) == 1);
    CHECK(sigmoid_of(-x) == doctest::Approx(0).epsilon(1e-37));
    CHECK(tanh_of(x) == 1);
    CHECK(tanh_of(-x) == -1);
    CHECK(softplus_of(x) == x);
    CHECK(normal_at(x).below == 1);
    CHECK(normal_at(-x).below == doctest::Approx(0).epsilon(1e-37));
  }
}

TEST_CASE("functions keep NaN, and the sign of zero where it has one") {
  for (const float y : {exp_of(NAN), expm1_of(NAN), log1p_of(NAN), sigmoid_of(NAN), tanh_of(NAN),
                        softplus_of(NAN), normal_at(NAN).below, normal_at(NAN).density})
    CHECK(std::isnan(y));
  CHECK(std::signbit(tanh_of(-0.0f)));
  CHECK(chosen(true, 1, NAN) == 1);
  CHECK(std::isnan(chosen(false, 1, NAN)));
}
