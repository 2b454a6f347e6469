#include <algorithm>
#include <cmath>
#include <plait/sdk/random.hpp>
#include <vector>

#include "base/random_keys.h"
#include "plan/network.h"
#include "registry/shape_text.h"

namespace plait::inline plan {
namespace {

struct Distribution {
  enum class Shape { kConstant, kUniform, kNormal, kTruncated, kOrthogonal } shape;
  double a = 0,
         b = 0;  // constant a; uniform over [a, b); normal of mean a and deviation b; orthogonal times a

  double draw(sdk::Random& random) const {
    switch (shape) {
      case Shape::kConstant:
        return a;
      case Shape::kUniform:
        return a + (b - a) * random.uniform();
      case Shape::kTruncated:
        return a + b * truncated(random);
      default:
        return a + b * random.normal();
    }
  }
  // One of 22 is drawn again.
  static double truncated(sdk::Random& random) {
    double value = random.normal();
    while (std::abs(value) > 2) value = random.normal();
    return value;
  }
};

Result<Distribution> distribution_of(const ParameterInfo& p) {
  using Shape = Distribution::Shape;
  auto uniform = [&p](double variance) {
    const double bound = p.gain * std::sqrt(3 * variance);
    return Distribution{Shape::kUniform, -bound, bound};
  };
  auto normal = [&p](double variance) {
    return Distribution{Shape::kNormal, 0, p.gain * std::sqrt(variance)};
  };
  const double in = std::max(p.by_fan_out ? p.fan_out : p.fan_in, 1.0),
               both = std::max(p.fan_in + p.fan_out, 1.0);
  if (p.init == "zeros") return Distribution{Shape::kConstant, 0, 0};
  if (p.init == "ones") return Distribution{Shape::kConstant, 1, 0};
  if (p.init == "constant") return Distribution{Shape::kConstant, p.init_a, 0};
  if (p.init == "uniform") return Distribution{Shape::kUniform, p.init_a, p.init_b};
  if (p.init == "normal") return Distribution{Shape::kNormal, p.init_a, p.init_b};
  if (p.init == "truncated_normal") return Distribution{Shape::kTruncated, p.init_a, p.init_b};
  if (p.init == "he_normal") return normal(2 / in);
  if (p.init == "he_uniform") return uniform(2 / in);
  if (p.init == "glorot_normal") return normal(2 / both);
  if (p.init == "glorot_uniform") return uniform(2 / both);
  if (p.init == "lecun_normal") return normal(1 / in);
  if (p.init == "lecun_uniform") return uniform(1 / in);
  if (p.init == "torch_uniform") return Distribution{Shape::kUniform, -1 / std::sqrt(in), 1 / std::sqrt(in)};
  if (p.init == "orthogonal")
    return Distribution{Shape::kOrthogonal, p.gain * (p.init_a == 0 ? 1 : p.init_a)};
  return {Code::kInvalid, p.name + ": there is no initialisation \"" + p.init + "\""};
}

// Vectors one after the other in `all`, each `length` long, at most as many as that: made orthonormal. Twice
// is enough: what is left after the first time is of the size of its roundings. Source: Giraud, Langou,
// Rozloznik 2005 (classical Gram-Schmidt with reorthogonalization)
void make_orthonormal(std::vector<double>& all, size_t length) {
  std::vector<double> shares;
  for (size_t at = 0; at < all.size(); at += length) {
    double* const vector = all.data() + at;
    for (int time = 0; time < 2; ++time) {
      shares.clear();
      for (size_t before = 0; before < at; before += length) {
        double product = 0;
        for (size_t i = 0; i < length; ++i) product += all[before + i] * vector[i];
        shares.push_back(product);
      }
      for (size_t k = 0; k < shares.size(); ++k)
        for (size_t i = 0; i < length; ++i) vector[i] -= shares[k] * all[k * length + i];
    }
    double squares = 0;
    for (size_t i = 0; i < length; ++i) squares += vector[i] * vector[i];
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (size_t i = 0; i < length; ++i) vector[i] *= scale;
  }
}

Status orthogonal(const ParameterInfo& p, double gain, sdk::Random& random, float* values) {
  if (p.shape.size() < 2)
    return {Code::kInvalid,
            p.name + ": orthogonal is of a matrix: got " + shape_text(p.shape) + ", wanted 2 or more axes"};
  if (p.elements == 0) return {};
  const auto rows = static_cast<size_t>(p.shape[0]), columns = static_cast<size_t>(p.elements) / rows;
  const size_t count = std::min(rows, columns), length = std::max(rows, columns);
  std::vector<double> all(count * length);
  for (double& one : all) one = random.normal();
  make_orthonormal(all, length);
  for (size_t k = 0; k < count; ++k)
    for (size_t i = 0; i < length; ++i)
      values[rows <= columns ? k * columns + i : i * columns + k] =
          static_cast<float>(gain * all[k * length + i]);
  return {};
}

}  // namespace

Status initial_values(const ParameterInfo& parameter, uint64_t seed, float* values) {
  PLAIT_ASSIGN(const Distribution d, distribution_of(parameter));
  const uint64_t key = random_key(seed, RandomPurpose::kInitialValues, parameter.name);
  sdk::Random random(key, 0);
  if (d.shape == Distribution::Shape::kOrthogonal) return orthogonal(parameter, d.a, random, values);
  for (uint64_t i = 0; i < parameter.elements; ++i) values[i] = static_cast<float>(d.draw(random));
  return {};
}

}  // namespace plait::inline plan
