// Units that are seldom active: a penalty on their mean activation.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

struct ActivationSparsity {
  static constexpr Count targets = 0;
  static constexpr bool weighted = true;

  double mean = 0.05;

  static void describe(Describe<ActivationSparsity>& d) {
    d.doc("Kullback-Leibler divergence of a wanted mean activation from that of each unit: a penalty");
    d.details(
        "r log(r / a) + (1 - r) log((1 - r) / (1 - a)), summed over the units; r = mean, a: mean of the "
        "unit's activations over the "
        "batch.\n"
        "Below 1e-4 and above 1 - 1e-4 it goes on along its tangent there, so that it has a value for every "
        "mean.\n"
        "Shapes: prediction [N, ..., C] f32, C units between 0 and 1 (of a sigmoid); a is over samples and "
        "positions, by the "
        "weights of\n"
        "samples, and over those within a sample's length. No target. A mean over the batch is no sum over "
        "samples: batches of "
        "other sizes\n"
        "give other values.\n"
        "Gradient to each activation: ((1 - r) / (1 - a) - r / a) / samples and positions.\n"
        "Source: Ng 2011, Sparse autoencoder (CS294A lecture notes), section 3.");
    d.field("mean", &ActivationSparsity::mean).doc("the mean activation that is wanted").above(0).below(1);
  }

  void check(const LossShapes& s) const {
    const Spec p = s.prediction();
    if (p.dtype() != DType::f32 || p.rank() < 2) s.fail("prediction is ", p, ", wanted f32[N, ..., units]");
    if (p.variable_axis() == p.rank() - 1) s.fail("the units of prediction ", p, " are its variable axis");
  }
  // A slope for each unit, then a weight for each row.
  uint64_t workspace_bytes(const LossShapes& s) const {
    const auto units = static_cast<size_t>(s.prediction().shape(-1));
    return (units + s.prediction().size() / units) * sizeof(double);
  }

  void compute(Context& c, const LossCall& call) const {
    const Tensor x = call.prediction();
    const auto units = static_cast<size_t>(x.shape(-1));
    const size_t rows = x.size() / units;
    auto* const slopes = call.workspace<double>();
    auto* const weights = slopes + units;
    const double count = weigh_rows(call, rows, weights);
    if (count > 0)
      c.parallel_for(units, kGrain, [&](uint64_t u) { slopes[u] = mean_of(x, u, weights) / count; });
    double sum = 0;
    for (size_t u = 0; u < units && count > 0; ++u) {
      const Value value = divergence(slopes[u]);
      sum += value.loss;
      slopes[u] = value.slope * call.gradient_scale() / count;
    }
    if (const Tensor dx = call.gradient()) {
      const Out to = dx.f32();
      c.parallel_for(rows, kGrain, [&](uint64_t row) {
        for (size_t u = 0; u < units; ++u)
          to[row * units + u] = weights[row] == 0 ? 0 : static_cast<float>(weights[row] * slopes[u]);
      });
    }
    call.set_result(sum * count, count);
  }

 private:
  static constexpr uint64_t kGrain = 64;  // units, or rows, in a piece of work
  static constexpr double kEdge = 1e-4;

  struct Value {
    double loss, slope;
  };
  Value divergence(double a) const {
    const double at = std::clamp(a, kEdge, 1 - kEdge);
    const double slope = (1 - mean) / (1 - at) - mean / at;
    const double loss = mean * std::log(mean / at) + (1 - mean) * std::log((1 - mean) / (1 - at));
    return {loss + slope * (a - at), slope};
  }

  // The weight of each row's sample, 0 past its length; returns their sum.
  static double weigh_rows(const LossCall& call, size_t rows, double* weights) {
    const Tensor x = call.prediction();
    const size_t each = rows / std::max<size_t>(1, static_cast<size_t>(x.shape(0)));
    const int axis = x.variable_axis() < 0 ? 1 : x.variable_axis();
    const bool masked = !x.lengths().empty() && x.rank() > 2;
    size_t after = 1;  // rows per place of the axis
    for (int i = axis + 1; masked && i + 1 < x.rank(); ++i) after *= static_cast<size_t>(x.shape(i));
    double count = 0;
    for (size_t row = 0; row < rows; ++row) {
      const size_t n = row / each;
      const bool is_past =
          masked && row / after % static_cast<size_t>(x.shape(axis)) >= static_cast<size_t>(x.length(n));
      weights[row] = is_past ? 0 : call.weight(n);
      count += weights[row];
    }
    return count;
  }
  static double mean_of(const Tensor& x, size_t unit, const double* weights) {
    const auto units = static_cast<size_t>(x.shape(-1));
    const Out values = x.f32();
    double sum = 0;
    for (size_t row = 0; row < values.size() / units; ++row)
      if (weights[row] != 0) sum += weights[row] * values[row * units + unit];
    return sum;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.activation_sparsity", "1.0.0", "Apache-2.0",
             loss<ActivationSparsity>("plait.activation_sparsity"));
