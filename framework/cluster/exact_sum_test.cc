#include "cluster/exact_sum.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <thread>
#ifdef __SSE__
#include <immintrin.h>
#endif

#include "cluster/local_transport.h"

namespace plait {
namespace {

using Deltas = std::vector<std::vector<float>>;
using Outcome = ExactSum::Outcome;

// What a whole job does for one round, on `ranks` threads: shard k goes to rank owner(k).
struct RoundResult {
  std::vector<float> mean;
  std::vector<int32_t> exponents;
  std::vector<double> bounds;  // per segment
  int attempts = 0;
  Status status;
};

Status run_round(ExactSum& sum, Transport& world, const Deltas& deltas, const std::vector<int32_t>& weights,
                 const std::vector<int>& owner, RoundResult& result) {
  for (result.attempts = 1;; ++result.attempts) {
    sum.begin();
    for (size_t k = 0; k < deltas.size(); ++k)
      if (owner[k] == world.rank()) PLAIT_TRY(sum.accumulate(deltas[k], weights[k]));
    PLAIT_ASSIGN(const Outcome outcome, sum.reduce(world));
    if (outcome == Outcome::kDone) break;
    if (result.attempts == 2) return {Code::kNumeric, "the second attempt did not fit"};
  }
  result.mean.assign(deltas.front().size(), -7.0f);
  sum.mean(result.mean);
  result.exponents.assign(sum.exponents().begin(), sum.exponents().end());
  for (size_t i = 0; i < sum.segments().size(); ++i) result.bounds.push_back(sum.error_bound(i));
  return {};
}

std::vector<RoundResult> run_world(int ranks, const std::vector<Segment>& segments, const Deltas& deltas,
                                   const std::vector<int32_t>& weights, const std::vector<int>& owner) {
  auto world = make_local_world(ranks);
  std::vector<RoundResult> results(world.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < world.size(); ++r)
    threads.emplace_back([&, r, rank = std::move(world[r])] {
      auto sum = ExactSum::create(segments, std::accumulate(weights.begin(), weights.end(), int64_t{0}));
      REQUIRE(sum.is_ok());
      results[r].status = run_round(**sum, *rank, deltas, weights, owner, results[r]);
    });
  for (std::thread& thread : threads) thread.join();
  return results;
}

RoundResult run_alone(const std::vector<Segment>& segments, const Deltas& deltas) {
  const std::vector<int32_t> weights(deltas.size(), 1);
  return run_world(1, segments, deltas, weights, std::vector<int>(deltas.size(), 0)).front();
}

std::vector<Segment> one_segment(size_t count, ReduceRule rule = ReduceRule::kMean32) {
  return {{"w", 0, count, rule}};
}

// The exact mean to about 2^-64 relative: long double has 64 bits and the test's sums are short.
long double exact_mean(const Deltas& deltas, const std::vector<int32_t>& weights, size_t i) {
  long double sum = 0, total = 0;
  for (size_t k = 0; k < deltas.size(); ++k) {
    sum += static_cast<long double>(deltas[k][i]) * weights[k];
    total += weights[k];
  }
  return sum / total;
}

// The bound of the header: the fixed point's, and the rounding to f32.
void check_within_bound(const RoundResult& result, const Deltas& deltas, const std::vector<int32_t>& weights,
                        const std::vector<Segment>& segments) {
  for (size_t s = 0; s < segments.size(); ++s) {
    for (size_t i = segments[s].offset; i < segments[s].offset + segments[s].count; ++i) {
      const long double exact = exact_mean(deltas, weights, i);
      const long double error = std::fabs(static_cast<long double>(result.mean[i]) - exact);
      const long double allowed = result.bounds[s] + std::fabs(exact) * (0x1p-24L + 0x1p-51L) + 0x1p-126L;
      INFO("segment ", s, " element ", i);
      CHECK(error <= allowed);
    }
  }
}

std::vector<float> noise(size_t n, uint32_t seed, float scale) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> x(n);
  for (float& value : x) value = normal(generator);
  return x;
}

Deltas noisy_deltas(size_t shards, size_t n, float scale = 0.01f) {
  Deltas deltas;
  for (size_t k = 0; k < shards; ++k) deltas.push_back(noise(n, static_cast<uint32_t>(k + 1), scale));
  return deltas;
}

float largest(const Deltas& deltas) {
  float m = 0;
  for (const auto& delta : deltas)
    for (const float x : delta) m = std::max(m, std::fabs(x));
  return m;
}

TEST_CASE("the mean of few shards is the exact mean rounded once, or within the derived bound") {
  const Deltas deltas = noisy_deltas(8, 10'000);
  const std::vector<int32_t> weights(8, 1);
  const auto segments = one_segment(10'000);
  const RoundResult result = run_alone(segments, deltas);
  REQUIRE(result.status.is_ok());
  CHECK(result.attempts == 2);  // the first finds the magnitudes
  check_within_bound(result, deltas, weights, segments);
  CHECK(result.bounds[0] <= 0x1p-26 * largest(deltas) * (1 + 0x1p-12));
}

TEST_CASE("1,024 shards with outliers, tiny deltas among large ones and zeros stay within the bound") {
  const size_t n = 600;
  Deltas deltas = noisy_deltas(1024, n);
  deltas[17][3] = 900.0f;                                                          // an outlier of one shard
  for (auto& delta : deltas) delta[4] = 1e-12f;                                    // tiny among large
  for (auto& delta : deltas) delta[5] = 0.0f;                                      // zero everywhere
  for (size_t k = 0; k < 1024; ++k) deltas[k][6] = (k % 2 == 0) ? 77.7f : -77.7f;  // cancels
  const std::vector<int32_t> weights(1024, 1);
  for (const ReduceRule rule : {ReduceRule::kMean32, ReduceRule::kMean64}) {
    const auto segments = one_segment(n, rule);
    const RoundResult result = run_alone(segments, deltas);
    REQUIRE(result.status.is_ok());
    check_within_bound(result, deltas, weights, segments);
    const double relative = rule == ReduceRule::kMean32 ? 0x1p-19 : 0x1p-44;
    CHECK(result.bounds[0] <= relative * 900.0 * (1 + 0x1p-12));
    CHECK(result.mean[5] == 0.0f);
    CHECK(result.mean[6] == 0.0f);
  }
}

TEST_CASE("64 bits keep small second moments that 32 bits would turn into 0") {
  Deltas deltas(4, std::vector<float>{1.0f, 1e-11f});
  CHECK(run_alone(one_segment(2, ReduceRule::kMean32), deltas).mean[1] == 0.0f);
  // 2^-47 of the largest magnitude is the bound: 1e-11 keeps about ten bits.
  CHECK(run_alone(one_segment(2, ReduceRule::kMean64), deltas).mean[1] ==
        doctest::Approx(1e-11).epsilon(1e-3));
}

TEST_CASE("the largest magnitudes add up without overflow, in 32 and 64 bits") {
  for (const size_t shards : {1u, 2u, 3u, 5u, 8u, 1000u, 1024u}) {
    for (const ReduceRule rule : {ReduceRule::kMean32, ReduceRule::kMean64}) {
      for (const float value : {1.0f, std::nextafter(1.0f, 0.0f), std::nextafter(2.0f, 0.0f), 3e38f,
                                -std::numeric_limits<float>::max(), std::numeric_limits<float>::min()}) {
        const RoundResult result = run_alone(one_segment(1, rule), Deltas(shards, {value}));
        REQUIRE(result.status.is_ok());
        INFO("shards ", shards, " value ", value);
        CHECK(std::fabs(static_cast<double>(result.mean[0]) - static_cast<double>(value)) <=
              result.bounds[0] + std::fabs(value) * 0x1p-24);
        CHECK(std::signbit(result.mean[0]) == std::signbit(value));
      }
    }
  }
}

// With exponent 0, and without the headroom that a chosen exponent has.
Outcome reduce_same(ExactSum& sum, int shards, float x, float& mean) {
  auto world = single();
  REQUIRE(sum.restore(std::vector<int32_t>{0}).is_ok());
  sum.begin();
  REQUIRE(sum.accumulate(std::vector<float>{x}, shards).is_ok());
  const auto outcome = sum.reduce(*world);
  REQUIRE(outcome.is_ok());
  sum.mean({&mean, 1});
  return *outcome;
}

TEST_CASE("sums at the very limit of the integers do not overflow, and one step further asks for a redo") {
  for (const int shards : {1, 2, 3, 5, 7, 8, 100, 1000, 1024, 65'536}) {
    for (const ReduceRule rule : {ReduceRule::kMean32, ReduceRule::kMean64}) {
      auto sum = ExactSum::create(one_segment(1, rule), shards);
      REQUIRE(sum.is_ok());
      float mean = 0.0f, fits = 0.5f, too_large = 4.0f;
      while (std::nextafter(fits, too_large) != too_large) {
        const float x = std::midpoint(fits, too_large);
        (reduce_same(**sum, shards, x, mean) == Outcome::kDone ? fits : too_large) = x;
      }
      INFO("shards ", shards, " largest that fits ", fits);
      CHECK(fits > 1.0f - 0x1p-13f);
      for (const float x : {fits, -fits}) {
        CHECK(reduce_same(**sum, shards, x, mean) == Outcome::kDone);
        CHECK(std::fabs(mean - x) <= (*sum)->error_bound(0) + 0x1p-23f);
      }
    }
  }
}

#ifdef __SSE__
TEST_CASE("flush-to-zero, which a plugin may have left on, changes no bit") {
  Deltas deltas = noisy_deltas(3, 500, 1e-37f);  // many denormals
  const RoundResult reference = run_alone(one_segment(500), deltas);
  const unsigned control = _mm_getcsr();
  auto world = single();
  RoundResult flushed;
  {
    auto sum = ExactSum::create(one_segment(500), 3);
    REQUIRE(sum.is_ok());
    _mm_setcsr(control | 0x8040);  // results and operands
    flushed.status = run_round(**sum, *world, deltas, {1, 1, 1}, {0, 0, 0}, flushed);
    _mm_setcsr(control);
  }
  REQUIRE(flushed.status.is_ok());
  CHECK(flushed.mean == reference.mean);
  CHECK(flushed.exponents == reference.exponents);
  CHECK(largest({reference.mean}) > 0.0f);
}
#endif

TEST_CASE("negative zero and denormals become +0") {
  const float denormal = std::numeric_limits<float>::denorm_min();
  const RoundResult result =
      run_alone(one_segment(3), {{-0.0f, denormal, -denormal}, {-0.0f, 1e-39f, -denormal}});
  REQUIRE(result.status.is_ok());
  for (const float x : result.mean) {
    CHECK(x == 0.0f);
    CHECK_FALSE(std::signbit(x));
  }
}

TEST_CASE("only zeros need no second attempt, and leave the exponent unknown") {
  const RoundResult result = run_alone(one_segment(5), Deltas(3, std::vector<float>(5, 0.0f)));
  CHECK(result.attempts == 1);
  CHECK(result.exponents[0] == ExactSum::kUnknownExponent);
  CHECK(result.mean == std::vector<float>(5, 0.0f));
}

TEST_CASE("any order, weights, threads, ranks and distribution of shards give the same bits") {
  const size_t n = 20'000, shards = 12;
  const Deltas deltas = noisy_deltas(shards, n);
  std::vector<int32_t> weights(shards);
  for (size_t k = 0; k < shards; ++k) weights[k] = static_cast<int32_t>(1 + k % 3);
  const std::vector<Segment> segments = {{"a", 0, 9'000, ReduceRule::kMean32},
                                         {"skipped", 9'000, 10, ReduceRule::kNone},
                                         {"b", 9'010, 6'000, ReduceRule::kMean64},
                                         {"c", 15'010, 4'990, ReduceRule::kMax}};
  const RoundResult reference = run_world(1, segments, deltas, weights, std::vector<int>(shards, 0)).front();
  REQUIRE(reference.status.is_ok());
  CHECK(reference.mean[9'005] == -7.0f);
  std::mt19937 generator(5);
  for (int ranks = 1; ranks <= 5; ++ranks) {
    for (int trial = 0; trial < 3; ++trial) {
      std::vector<int> owner(shards);
      for (int& rank : owner) rank = static_cast<int>(generator() % static_cast<unsigned>(ranks));
      for (const RoundResult& result : run_world(ranks, segments, deltas, weights, owner)) {
        REQUIRE(result.status.is_ok());
        CHECK(result.mean == reference.mean);
        CHECK(result.exponents == reference.exponents);
      }
    }
  }
}

TEST_CASE("several threads of a rank add their shards at once") {
  const size_t n = 50'000, shards = 16;
  const Deltas deltas = noisy_deltas(shards, n);
  const RoundResult reference = run_alone(one_segment(n), deltas);
  auto world = single();
  auto sum = ExactSum::create(one_segment(n), shards);
  REQUIRE(sum.is_ok());
  for (const Outcome wanted : {Outcome::kRedo, Outcome::kDone}) {
    (*sum)->begin();
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (size_t k = t; k < shards; k += 4) CHECK((*sum)->accumulate(deltas[k]).is_ok());
      });
    for (std::thread& thread : threads) thread.join();
    const auto outcome = (*sum)->reduce(*world);
    REQUIRE(outcome.is_ok());
    CHECK(*outcome == wanted);
  }
  std::vector<float> mean(n);
  (*sum)->mean(mean);
  CHECK(mean == reference.mean);
}

TEST_CASE("max keeps the largest value, negative ones too") {
  const RoundResult result =
      run_alone(one_segment(3, ReduceRule::kMax), {{-3.0f, 1.0f, -0.0f}, {-2.0f, 5.0f, -1.0f}});
  CHECK(result.mean == std::vector<float>{-2.0f, 5.0f, 0.0f});
}

TEST_CASE("a value that outgrows its exponent redoes the round; smaller ones do not, and come down slowly") {
  auto world = single();
  auto sum = ExactSum::create(one_segment(1), 1);
  REQUIRE(sum.is_ok());
  const auto attempt = [&](float x) {
    (*sum)->begin();
    REQUIRE((*sum)->accumulate(std::vector<float>{x}).is_ok());
    const auto outcome = (*sum)->reduce(*world);
    REQUIRE(outcome.is_ok());
    return *outcome;
  };
  CHECK(attempt(1.0f) == Outcome::kRedo);
  CHECK(attempt(1.0f) == Outcome::kDone);
  CHECK(attempt(3.9f) == Outcome::kDone);  // within two bits of headroom
  CHECK(attempt(3.9f * 5) == Outcome::kRedo);
  CHECK(attempt(3.9f * 5) == Outcome::kDone);
  const int32_t high = (*sum)->exponents()[0];
  CHECK(attempt(1e-6f) == Outcome::kDone);
  CHECK((*sum)->exponents()[0] == high - 1);
}

TEST_CASE("the state saved and restored gives the same next round") {
  auto world = single();
  auto first = ExactSum::create(one_segment(100), 1);
  auto second = ExactSum::create(one_segment(100), 1);
  REQUIRE(first.is_ok());
  REQUIRE(second.is_ok());
  const std::vector<float> delta = noise(100, 9, 0.1f);
  REQUIRE((*first)->accumulate(delta).is_ok());
  REQUIRE((*first)->reduce(*world).is_ok());
  REQUIRE((*second)->restore((*first)->exponents()).is_ok());
  (*second)->begin();
  REQUIRE((*second)->accumulate(delta).is_ok());
  const auto outcome = (*second)->reduce(*world);
  REQUIRE(outcome.is_ok());
  CHECK(*outcome == Outcome::kDone);
  CHECK((*second)->restore(std::vector<int32_t>(2, 0)).code() == Code::kCorrupt);
  CHECK((*second)->restore(std::vector<int32_t>(1, 5000)).code() == Code::kCorrupt);
}

TEST_CASE("NaN and infinity are named") {
  const std::vector<Segment> segments = {{"conv1.bias", 0, 2, ReduceRule::kMean32},
                                         {"conv1.weights", 2, 3, ReduceRule::kMean64}};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Status status = run_alone(segments, {{1, 1, 1, nan, 1}}).status;
  CHECK(status.code() == Code::kNumeric);
  CHECK(status.message() == "\"conv1.weights\": element 1 of 3 is not a number");
  CHECK(run_alone(segments, {{1, -infinity, 1, 1, 1}}).status.message() ==
        "\"conv1.bias\": element 1 of 2 is infinite");
}

TEST_CASE("a shard that is missing or comes twice is noticed") {
  auto world = single();
  auto sum = ExactSum::create(one_segment(1), 2);
  REQUIRE(sum.is_ok());
  const std::vector<float> delta = {1.0f};
  REQUIRE((*sum)->accumulate(delta).is_ok());
  CHECK((*sum)->reduce(*world).status().code() == Code::kPeer);
  (*sum)->begin();
  REQUIRE((*sum)->accumulate(delta, 2).is_ok());
  CHECK((*sum)->accumulate(delta).code() == Code::kInvalid);
}

TEST_CASE("segments and weights that cannot be are refused") {
  CHECK(ExactSum::create({{"a", 0, 5, ReduceRule::kMean32}, {"b", 4, 2, ReduceRule::kMean32}}, 1)
            .status()
            .message() == "segments \"a\" and \"b\" overlap");
  CHECK(ExactSum::create(one_segment(1), 0).status().code() == Code::kInvalid);
  CHECK(ExactSum::create(one_segment(1), 65'537).status().code() == Code::kInvalid);
  CHECK(ExactSum::create(one_segment(1, ReduceRule::kMean64), 65'537).is_ok());
}

TEST_CASE("two arenas travel together, and one that does not fit redoes both") {
  auto world = single();
  auto a = ExactSum::create(one_segment(4), 1);
  auto b = ExactSum::create(one_segment(4), 1);
  REQUIRE(a.is_ok());
  REQUIRE(b.is_ok());
  ExactSum* const both[] = {a->get(), b->get()};
  REQUIRE((*a)->accumulate(std::vector<float>(4, 0.0f)).is_ok());
  REQUIRE((*b)->accumulate(std::vector<float>(4, 1.0f)).is_ok());
  const auto outcome = ExactSum::reduce(*world, both);
  REQUIRE(outcome.is_ok());
  CHECK(*outcome == Outcome::kRedo);
}

}  // namespace
}  // namespace plait
