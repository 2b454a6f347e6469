// Clipping beside PyTorch's, penalties beside their formula.
#include "train/gradient_rules.h"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <limits>

#include "train/test_job.h"

namespace plait::inline train {
namespace {

// Of a.weight [3, 4] and b.weight [4, 1].
std::unique_ptr<Plan> two_layers(const std::string& more = "") {
  static std::deque<Job> jobs;  // which plans look back at
  Job& job = jobs.emplace_back(train_job("batch: 4", more));
  job.metrics.clear();
  auto network = shape_network(job, {{"x", PLAIT_F32, {3}, -1}, {"label", PLAIT_F32, {1}, -1}}, 4);
  REQUIRE_MESSAGE(network.is_ok(), network.status().message());
  CompileOptions options;
  options.device_id = "plait.near";
  auto plan = Plan::compile(train_registry(), std::move(network).value(), options);
  REQUIRE_MESSAGE(plan.is_ok(), plan.status().message());
  return std::move(plan).value();
}

uint64_t place_of(const Plan& plan, const std::string& name) {
  for (size_t i = 0; i < plan.parameters().size(); ++i)
    if (plan.network().parameters[i].name == name) return plan.parameters()[i].offset;
  REQUIRE_MESSAGE(false, name);
  return 0;
}

struct Gradients {
  std::vector<float> a, b;
};

// (i - 5.5) / 4 for a, -0.75 (i + 1) for b, changed by the rules.
Gradients clipped(ClipSpec::By by, double most) {
  const auto plan = two_layers();
  std::vector<float> all(plan->trained_elements());
  float* const a = all.data() + place_of(*plan, "a.weight");
  float* const b = all.data() + place_of(*plan, "b.weight");
  for (int i = 0; i < 12; ++i) a[i] = (static_cast<float>(i) - 5.5f) * 0.25f;
  for (int i = 0; i < 4; ++i) b[i] = static_cast<float>(i + 1) * -0.75f;
  const GradientRules rules(*plan, {by, most});
  CHECK(rules.any());
  CHECK_FALSE(rules.wants_weights());
  const Status applied = rules.apply(all.data(), nullptr);
  REQUIRE_MESSAGE(applied.is_ok(), applied.message());
  return {{a, a + 12}, {b, b + 4}};
}

void check_close(const std::vector<float>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  // The sum of squares, the root, the quotient and the product each round by at most 2^-24, PyTorch's in f32,
  // and what PyTorch gave is written in nine digits.
  for (size_t i = 0; i < got.size(); ++i)
    CHECK(std::abs(got[i] - wanted[i]) <= 8 * 0x1p-24 * std::abs(wanted[i]));
}

}  // namespace

TEST_CASE("a gradient is clipped as PyTorch 2.15 clips it") {
  using By = ClipSpec::By;
  const Gradients value = clipped(By::kValue, 1);
  check_close(value.a, {-1, -1, -0.875, -0.625, -0.375, -0.125, 0.125, 0.375, 0.625, 0.875, 1, 1});
  check_close(value.b, {-0.75, -1, -1, -1});
  const Gradients norm = clipped(By::kNorm, 2);
  check_close(norm.a, {-0.919865966, -0.752617598, -0.585369229, -0.418120891, -0.250872523, -0.0836241767,
                       0.0836241767, 0.250872523, 0.418120891, 0.585369229, 0.752617598, 0.919865966});
  check_close(norm.b, {-0.365148306, -0.730296612, -1.09544492, -1.46059322});
  const Gradients together = clipped(By::kGlobalNorm, 2);
  check_close(together.a, {-0.541274548, -0.442860961, -0.344447434, -0.246033877, -0.14762032, -0.0492067747,
                           0.0492067747, 0.14762032, 0.246033877, 0.344447434, 0.442860961, 0.541274548});
  check_close(together.b, {-0.295240641, -0.590481281, -0.885721922, -1.18096256});
}

TEST_CASE("a gradient within its bound keeps its bits") {
  const Gradients all = clipped(ClipSpec::By::kGlobalNorm, 6);
  for (int i = 0; i < 12; ++i) CHECK(all.a[static_cast<size_t>(i)] == (static_cast<float>(i) - 5.5f) * 0.25f);
}

TEST_CASE("a norm that is not finite names the parameter; a value's NaN stays") {
  const auto plan = two_layers();
  std::vector<float> all(plan->trained_elements());
  const uint64_t b = place_of(*plan, "b.weight");
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    for (const auto by : {ClipSpec::By::kNorm, ClipSpec::By::kGlobalNorm}) {
      all[b] = bad;
      const Status applied = GradientRules(*plan, {by, 1}).apply(all.data(), nullptr);
      CHECK(applied.code() == Code::kNumeric);
      CHECK(applied.message().find("b.weight") != std::string::npos);
    }
  }
  REQUIRE(GradientRules(*plan, {ClipSpec::By::kValue, 1}).apply(all.data(), nullptr).is_ok());
  CHECK(std::isnan(all[b]));
}

TEST_CASE("penalties add l1 sign(w) + 2 l2 w, before clipping") {
  const auto plan =
      two_layers("parameters { match: \"*\" l2: 0.25 } parameters { match: \"b.*\" l1: 0.5 l2: 0 }\n");
  std::vector<float> all(plan->trained_elements()), weights(all.size());
  const uint64_t a = place_of(*plan, "a.weight"), b = place_of(*plan, "b.weight");
  weights[a] = 3, weights[a + 1] = -2;
  weights[b] = 3, weights[b + 1] = -2;
  all[a] = all[b] = 1;
  const GradientRules rules(*plan, {});
  CHECK(rules.wants_weights());
  REQUIRE(rules.apply(all.data(), weights.data()).is_ok());
  CHECK(all[a] == 1 + 2 * 0.25f * 3);
  CHECK(all[a + 1] == 2 * 0.25f * -2);
  CHECK(all[a + 2] == 0);
  CHECK(all[b] == 1.5f);
  CHECK(all[b + 1] == -0.5f);
  CHECK(all[b + 2] == 0);
  all[a] = 0;
  REQUIRE(GradientRules(*plan, {ClipSpec::By::kValue, 1}).apply(all.data(), weights.data()).is_ok());
  CHECK(all[a] == 1);
}

}  // namespace plait::inline train
