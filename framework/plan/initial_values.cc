#include <cmath>
#include <plait/sdk/random.hpp>

#include "base/random_keys.h"
#include "plan/network.h"

namespace plait::inline plan {
namespace {

struct Distribution {
  enum class Shape { kConstant, kUniform, kNormal } shape;
  double a, b;  // constant a; uniform over [a, b); normal of mean a and deviation b
};

Result<Distribution> distribution_of(const ParameterInfo& p) {
  using Shape = Distribution::Shape;
  auto uniform = [](double variance) {
    const double bound = std::sqrt(3 * variance);
    return Distribution{Shape::kUniform, -bound, bound};
  };
  auto normal = [](double variance) { return Distribution{Shape::kNormal, 0, std::sqrt(variance)}; };
  const double in = std::max(p.fan_in, 1.0), both = std::max(p.fan_in + p.fan_out, 1.0);
  if (p.init == "zeros") return Distribution{Shape::kConstant, 0, 0};
  if (p.init == "ones") return Distribution{Shape::kConstant, 1, 0};
  if (p.init == "constant") return Distribution{Shape::kConstant, p.init_a, 0};
  if (p.init == "uniform") return Distribution{Shape::kUniform, p.init_a, p.init_b};
  if (p.init == "normal") return Distribution{Shape::kNormal, p.init_a, p.init_b};
  if (p.init == "he_normal") return normal(2 / in);
  if (p.init == "he_uniform") return uniform(2 / in);
  if (p.init == "glorot_normal") return normal(2 / both);
  if (p.init == "glorot_uniform") return uniform(2 / both);
  if (p.init == "lecun_normal") return normal(1 / in);
  if (p.init == "lecun_uniform") return uniform(1 / in);
  if (p.init == "torch_uniform") return Distribution{Shape::kUniform, -1 / std::sqrt(in), 1 / std::sqrt(in)};
  return {Code::kInvalid, p.name + ": there is no initialisation \"" + p.init + "\""};
}

}  // namespace

Status initial_values(const ParameterInfo& parameter, uint64_t seed, float* values) {
  PLAIT_ASSIGN(const Distribution d, distribution_of(parameter));
  const uint64_t key = random_key(seed, RandomPurpose::kInitialValues, parameter.name);
  sdk::Random random(key, 0);
  for (uint64_t i = 0; i < parameter.elements; ++i) {
    double value = d.a;
    if (d.shape == Distribution::Shape::kUniform) value = d.a + (d.b - d.a) * random.uniform();
    if (d.shape == Distribution::Shape::kNormal) value = d.a + d.b * random.normal();
    values[i] = static_cast<float>(value);
  }
  return {};
}

}  // namespace plait::inline plan
