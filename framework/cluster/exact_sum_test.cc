#include "cluster/exact_sum.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

#include "cluster/local_transport.h"

namespace plait::inline cluster {
namespace {

using Deltas = std::vector<std::vector<float>>;
using Weights = std::vector<int32_t>;

// What a whole job does for one round, on `ranks` threads: shard k goes to rank owner[k], in the order of
// `order`.
struct Round {
  std::vector<float> mean;
  Status status;
};

Status run_round(ExactSum& sum, Transport& world, const Deltas& deltas, const Weights& weights,
                 const std::vector<int>& owner, const std::vector<size_t>& order, Round& result) {
  sum.begin();
  for (const size_t k : order)
    if (owner[k] == world.rank()) PLAIT_TRY(sum.accumulate(deltas[k], weights[k]));
  PLAIT_TRY(sum.reduce(world));
  result.mean.assign(deltas.front().size(), -7.0f);
  sum.mean(result.mean);
  return {};
}

std::vector<Round> run_world(int ranks, const std::vector<Segment>& segments, const Deltas& deltas,
                             const Weights& weights, const std::vector<int>& owner,
                             const std::vector<size_t>& order) {
  auto world = make_local_world(ranks);
  std::vector<Round> results(world.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < world.size(); ++r)
    threads.emplace_back([&, r, rank = std::move(world[r])] {
      auto sum = ExactSum::create(segments, std::accumulate(weights.begin(), weights.end(), int64_t{0}));
      REQUIRE(sum.is_ok());
      results[r].status = run_round(**sum, *rank, deltas, weights, owner, order, results[r]);
    });
  for (std::thread& thread : threads) thread.join();
  return results;
}

std::vector<size_t> in_order(size_t shards) {
  std::vector<size_t> order(shards);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Round run_alone(const std::vector<Segment>& segments, const Deltas& deltas, Weights weights = {}) {
  if (weights.empty()) weights.assign(deltas.size(), 1);
  return run_world(1, segments, deltas, weights, std::vector<int>(deltas.size(), 0), in_order(deltas.size()))
      .front();
}

std::vector<Segment> one_segment(size_t count, ReduceRule rule = ReduceRule::kMean) {
  return {{"w", 0, count, rule}};
}

std::vector<uint32_t> bits_of(const std::vector<float>& x) {
  std::vector<uint32_t> bits;
  for (const float value : x) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

__extension__ typedef __int128 Wide;

// An f32 is an integer times 2^-149, of 278 bits at most. A wide integer in limbs of 32 bits is exact.
class WideSum {
 public:
  void add(float x, int64_t weight) {
    const uint32_t bits = std::bit_cast<uint32_t>(x), exponent = bits >> 23 & 0xff;
    const int64_t mantissa = (bits & 0x7fffff) | (exponent != 0 ? 0x800000 : 0);
    const uint32_t place = exponent == 0 ? 0 : exponent - 1;
    const Wide value = static_cast<Wide>(x < 0 ? -mantissa : mantissa) * weight << place % 32;
    limbs_[place / 32] += value;
  }
  // The sum less `mean` times `total`: in units of 2^-149, to 53 bits.
  double off(float mean, int64_t total) {
    add(mean, -total);
    double sum = 0;
    Wide carry = 0;
    std::vector<double> digits;
    for (const Wide limb : limbs_) {
      const Wide value = limb + carry;
      carry = value >> 32;
      digits.push_back(static_cast<double>(static_cast<uint32_t>(value)));
    }
    digits.push_back(static_cast<double>(carry));
    for (size_t i = digits.size(); i-- > 0;) sum += std::ldexp(digits[i], static_cast<int>(32 * i));
    return std::fabs(sum);
  }

 private:
  Wide limbs_[12] = {};
};

// The bound of the header, for every element by itself.
void check_bound(const std::vector<float>& mean, const Deltas& deltas, const Weights& weights) {
  const int64_t total = std::accumulate(weights.begin(), weights.end(), int64_t{0});
  for (size_t i = 0; i < mean.size(); ++i) {
    WideSum sum;
    double largest = 0;
    for (size_t k = 0; k < deltas.size(); ++k) {
      sum.add(deltas[k][i], weights[k]);
      largest = std::max(largest, std::fabs(static_cast<double>(deltas[k][i])));
    }
    const double off = std::ldexp(sum.off(mean[i], total), -149) / static_cast<double>(total);
    INFO("element ", i, " mean ", mean[i], " off ", off, " largest ", largest);
    REQUIRE(off <= 0x1p-23 * largest + (std::fabs(mean[i]) <= 0x1p-126f ? 0x1p-150 : 0));
  }
}

// Of every exponent, neighbours and shards without any relation; some alike, some 0, some that cancel.
Deltas wild_deltas(size_t shards, size_t n, uint32_t seed) {
  std::mt19937 generator(seed);
  Deltas deltas(shards, std::vector<float>(n));
  for (size_t i = 0; i < n; ++i) {
    const int centre = static_cast<int>(generator() % 277) - 149;
    const int spread = 1 + static_cast<int>(generator() % 60);
    for (auto& delta : deltas) {
      const int exponent = std::clamp(centre - static_cast<int>(generator() % spread), -149, 127);
      const float unit = static_cast<float>(1.0 + generator() * 0x1p-32);
      float x = std::ldexp(unit, exponent);
      if (!std::isfinite(x)) x = std::numeric_limits<float>::max();
      if (generator() % 8 == 0) x = 0;
      delta[i] = generator() % 2 == 0 ? x : -x;
    }
    if (i % 7 == 3 && shards > 1) deltas[1][i] = -deltas[0][i];
    if (i % 11 == 5) std::ranges::for_each(deltas, [&](auto& delta) { delta[i] = deltas[0][i]; });
  }
  return deltas;
}

TEST_CASE("every element's mean is within 2^-23 of that element's largest magnitude") {
  for (const size_t shards : {2u, 3u, 8u, 255u, 256u, 1000u}) {
    const Deltas deltas = wild_deltas(shards, shards < 100 ? 5000 : 500, static_cast<uint32_t>(shards));
    Weights weights(shards, 1);
    CHECK(run_alone(one_segment(deltas[0].size()), deltas).status.is_ok());
    check_bound(run_alone(one_segment(deltas[0].size()), deltas, weights).mean, deltas, weights);
    for (size_t k = 0; k < shards; ++k) weights[k] = static_cast<int32_t>(1 + k * k % 65'536);
    check_bound(run_alone(one_segment(deltas[0].size()), deltas, weights).mean, deltas, weights);
  }
}

TEST_CASE("the bound holds where values lie on both sides of a window's edge, and in rows of ties") {
  std::vector<float> values;
  for (int exponent = -149; exponent <= 127; ++exponent) {
    for (const double mantissa : {1.0, 1 + 0x1p-23, 1.5, 2 - 0x1p-23}) {
      const float x = static_cast<float>(std::ldexp(mantissa, exponent));
      if (std::isfinite(x)) values.push_back(x);
    }
  }
  for (const int shift : {1, 3, 4, 5, 91, 93, 96, 97, 101, 189, 193}) {
    for (const float sign : {1.0f, -1.0f}) {
      Deltas deltas(2, values);
      for (size_t i = 0; i < values.size(); ++i)
        deltas[1][i] = sign * values[(i + static_cast<size_t>(shift)) % values.size()];
      for (const Weights& weights : {Weights{1, 1}, Weights{1, 254}, Weights{254, 1}, Weights{65'536, 3}})
        check_bound(run_alone(one_segment(values.size()), deltas, weights).mean, deltas, weights);
    }
  }
}

TEST_CASE("a small value beside large ones keeps its digits, as adam's second moments must") {
  const Deltas deltas(4, std::vector<float>{1.0f, 1e-11f, 1e16f, 1e-30f});
  CHECK(run_alone(one_segment(4), deltas).mean == deltas[0]);
}

TEST_CASE("any order, weights, threads, ranks and distribution of shards give the same bits") {
  const size_t n = 9'000, shards = 12;
  const Deltas deltas = wild_deltas(shards, n, 77);
  std::mt19937 generator(5);
  for (const int32_t factor : {1, 1000}) {  // sums of 32 and of 64 bits
    Weights weights(shards);
    for (size_t k = 0; k < shards; ++k) weights[k] = factor * static_cast<int32_t>(1 + k % 3);
    const std::vector<Segment> segments = {{"a", 0, 5'000, ReduceRule::kMean},
                                           {"skipped", 5'000, 10, ReduceRule::kNone},
                                           {"b", 5'010, 2'000, ReduceRule::kMax},
                                           {"c", 7'010, 1'990, ReduceRule::kMean}};
    const Round reference = run_alone(segments, deltas, weights);
    REQUIRE(reference.status.is_ok());
    CHECK(reference.mean[5'005] == -7.0f);
    for (int ranks = 1; ranks <= 5; ++ranks) {
      for (int trial = 0; trial < 4; ++trial) {
        std::vector<int> owner(shards);
        for (int& rank : owner) rank = static_cast<int>(generator() % static_cast<unsigned>(ranks));
        std::vector<size_t> order = in_order(shards);
        std::shuffle(order.begin(), order.end(), generator);
        for (const Round& result : run_world(ranks, segments, deltas, weights, owner, order)) {
          REQUIRE(result.status.is_ok());
          CHECK(bits_of(result.mean) == bits_of(reference.mean));
        }
      }
    }
  }
}

TEST_CASE("sums of 32 and of 64 bits give the same bits") {
  const Deltas deltas = wild_deltas(5, 4'000, 3);
  const Round narrow = run_alone(one_segment(4'000), deltas, {1, 2, 3, 4, 5});
  const Round wide = run_alone(one_segment(4'000), deltas, {100, 200, 300, 400, 500});
  CHECK(bits_of(narrow.mean) == bits_of(wide.mean));
}

TEST_CASE("one shard comes out as it went in, on any number of ranks: denormals and -0 too") {
  Deltas deltas = wild_deltas(1, 3'000, 4);
  deltas[0][0] = -0.0f;
  deltas[0][1] = -std::numeric_limits<float>::denorm_min();
  const std::vector<Segment> segments = {{"a", 0, 2'000, ReduceRule::kMean},
                                         {"b", 2'000, 1'000, ReduceRule::kMax}};
  for (const int ranks : {1, 2, 3})
    for (const Round& round : run_world(ranks, segments, deltas, {1}, {ranks - 1}, {0}))
      CHECK(bits_of(round.mean) == bits_of(deltas[0]));
}

TEST_CASE("the largest magnitudes add up without overflow, whatever the weights") {
  for (const int64_t total : {2L, 254L, 255L, 256L, 65'536L, 65'537L, (1L << 32) - 65'536, 1L << 32}) {
    for (const float value : {1.0f, std::nextafter(1.0f, 0.0f), std::nextafter(2.0f, 0.0f), 0x1p23f, 0x1p-6f,
                              -std::numeric_limits<float>::max(), std::numeric_limits<float>::min()}) {
      auto sum = ExactSum::create(one_segment(1), total);
      REQUIRE(sum.is_ok());
      for (int64_t left = total; left > 0; left -= 65'536)
        REQUIRE((*sum)->accumulate({&value, 1}, static_cast<int32_t>(std::min<int64_t>(left, 65'536))));
      REQUIRE((*sum)->reduce(*single()));
      float mean = 0;
      (*sum)->mean({&mean, 1});
      CHECK(mean == value);
    }
  }
}

TEST_CASE("several shards make 0 of -0, and +0 of what cancels") {
  const Round result = run_alone(one_segment(3), {{-0.0f, 77.7f, -1e-39f}, {-0.0f, -77.7f, 1e-39f}});
  CHECK(bits_of(result.mean) == std::vector<uint32_t>{0, 0, 0});
}

TEST_CASE("several threads of a rank add their shards at once") {
  const size_t n = 50'000, shards = 16;
  const Deltas deltas = wild_deltas(shards, n, 12);
  const Round reference = run_alone(one_segment(n), deltas);
  auto sum = ExactSum::create(one_segment(n), shards);
  REQUIRE(sum.is_ok());
  for (int round = 0; round < 2; ++round) {
    (*sum)->begin();
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (size_t k = t; k < shards; k += 4) CHECK((*sum)->accumulate(deltas[k]).is_ok());
      });
    for (std::thread& thread : threads) thread.join();
    REQUIRE((*sum)->reduce(*single()));
    std::vector<float> mean(n);
    (*sum)->mean(mean);
    CHECK(bits_of(mean) == bits_of(reference.mean));
  }
}

TEST_CASE("max keeps the largest value, negative ones too") {
  const Round result =
      run_alone(one_segment(3, ReduceRule::kMax), {{-3.0f, 1.0f, -0.0f}, {-2.0f, 5.0f, -1.0f}});
  CHECK(result.mean == std::vector<float>{-2.0f, 5.0f, 0.0f});
}

TEST_CASE("NaN and infinity are named, with one shard and with several") {
  const std::vector<Segment> segments = {{"conv1.bias", 0, 2, ReduceRule::kMean},
                                         {"conv1.weights", 2, 5'000, ReduceRule::kMean}};
  std::vector<float> good(5'002, 1), nan = good, infinite = good;
  nan[2 + 4'999] = std::numeric_limits<float>::quiet_NaN();
  infinite[1] = -std::numeric_limits<float>::infinity();
  for (const size_t shards : {1u, 2u}) {
    Deltas deltas(shards, good);
    deltas.back() = nan;
    const Status status = run_alone(segments, deltas).status;
    CHECK(status.code() == Code::kNumeric);
    CHECK(status.message() == "\"conv1.weights\": element 4999 of 5000 is not a number");
    deltas.back() = infinite;
    CHECK(run_alone(segments, deltas).status.message() == "\"conv1.bias\": element 1 of 2 is infinite");
  }
}

TEST_CASE("a shard that is missing or comes twice is noticed") {
  auto world = single();
  auto sum = ExactSum::create(one_segment(1), 2);
  REQUIRE(sum.is_ok());
  const std::vector<float> delta = {1.0f};
  REQUIRE((*sum)->accumulate(delta).is_ok());
  CHECK((*sum)->reduce(*world).code() == Code::kPeer);
  (*sum)->begin();
  REQUIRE((*sum)->accumulate(delta, 2).is_ok());
  CHECK((*sum)->accumulate(delta).code() == Code::kInvalid);
}

TEST_CASE("segments and weights that cannot be are refused") {
  CHECK(ExactSum::create({{"a", 0, 5, ReduceRule::kMean}, {"b", 4, 2, ReduceRule::kMean}}, 1)
            .status()
            .message() == "segments \"a\" and \"b\" overlap");
  CHECK(ExactSum::create(one_segment(1), 0).status().code() == Code::kInvalid);
  CHECK(ExactSum::create(one_segment(1), ExactSum::kLargestTotal + 1).status().code() == Code::kInvalid);
  CHECK(ExactSum::create(one_segment(1), ExactSum::kLargestTotal).is_ok());
}

TEST_CASE("two arenas travel together") {
  const Deltas deltas = wild_deltas(4, 200, 9);
  const std::vector<float> first = run_alone(one_segment(200), deltas).mean;
  auto world = make_local_world(2);
  std::vector<std::thread> threads;
  for (size_t r = 0; r < 2; ++r)
    threads.emplace_back([&, r, rank = std::move(world[r])] {
      auto a = ExactSum::create(one_segment(200), 4), b = ExactSum::create(one_segment(100), 4);
      REQUIRE((a.is_ok() && b.is_ok()));
      for (size_t k = r; k < 4; k += 2) {
        REQUIRE((*a)->accumulate(deltas[k]));
        REQUIRE((*b)->accumulate(deltas[k]));
      }
      ExactSum* const both[] = {a->get(), b->get()};
      REQUIRE(ExactSum::reduce(*rank, both));
      std::vector<float> of_a(200), of_b(100);
      (*a)->mean(of_a);
      (*b)->mean(of_b);
      CHECK(of_a == first);
      CHECK(std::equal(of_b.begin(), of_b.end(), first.begin()));
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace plait::inline cluster
