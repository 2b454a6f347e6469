// Sums on a device beside those of the host, bit by bit: the arithmetic that the SDK gives to devices, and
// what a DeviceSum makes of it.
#include "train/device_sum.h"

#include <doctest/doctest.h>
#include <plait/exact_sums.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "cluster/exact_kernels.h"
#include "cluster/local_transport.h"
#include "pipeline/load.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

// Of every exponent, with many ties, denormals and zeros among them; `tame`: of a few windows.
std::vector<float> finite_values(size_t n, uint32_t seed, bool tame) {
  std::mt19937 generator(seed);
  std::vector<float> x(n);
  for (float& value : x) {
    uint32_t bits = generator();
    if (generator() % 4 == 0) bits &= 0xffff0000u;
    if (generator() % 16 == 0) bits &= 0x807fffffu;
    if (generator() % 16 == 0) bits &= 0x80000000u;
    if (tame) bits = (bits & 0x83ffffffu) | 0x38000000u;
    if ((bits & kInfinityBits) == kInfinityBits) bits ^= 0x40000000u;
    value = std::bit_cast<float>(bits);
  }
  return x;
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class Integer>
struct Twin {
  std::vector<Integer> high, low;
  std::vector<uint8_t> window;
  Twin(size_t n, uint8_t first) : high(n), low(n), window(n, first) {}
  sdk::exact::Sums<Integer> sums() {
    sdk::exact::Sums<Integer> made;
    made.high = high.data(), made.low = low.data(), made.window = window.data();
    return made;
  }
};

template <class Integer>
void compare(uint32_t seed, bool tame, int32_t weight, int rounds) {
  constexpr size_t kCount = 20'000;
  Twin<Integer> host(kCount, 1), there(kCount, 0);
  double total = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<float> x = finite_values(kCount, seed + static_cast<uint32_t>(round), tame);
    add_to_bins({host.high, host.low, host.window}, x, weight);
    for (size_t i = 0; i < kCount; ++i) sdk::exact::add(there.sums(), i, x[i], weight);
    total += weight;
  }
  CHECK(same_bytes(host.high, there.high));
  CHECK(same_bytes(host.low, there.low));
  CHECK(same_bytes(host.window, there.window));
  std::vector<float> wanted(kCount), got(kCount);
  write_mean(wanted, Bins<const Integer>{host.high, host.low, host.window}, total);
  for (size_t i = 0; i < kCount; ++i) got[i] = sdk::exact::mean(there.sums(), i, total);
  CHECK(same_bytes(wanted, got));
}

TEST_CASE("the arithmetic for devices is that of the host") {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    const bool tame = seed % 3 == 0;
    compare<int32_t>(1000 * seed, tame, 1, 3);
    compare<int32_t>(1000 * seed, tame, 51, 5);
    compare<int64_t>(1000 * seed, tame, 1 << 16, 7);
  }
}

TEST_CASE("edges: the largest and least numbers, halves of units, what rounds up to a normal number") {
  std::vector<float> edges = {0.0f,
                              -0.0f,
                              std::numeric_limits<float>::max(),
                              -std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::denorm_min(),
                              std::numeric_limits<float>::min()};
  for (int place = -149; place <= 127; ++place)
    for (const float more : {1.0f, 1.5f, 0x1.000002p0f, 0x1.fffffep0f}) {
      edges.push_back(std::ldexp(more, place));
      edges.push_back(-std::ldexp(more, place));
    }
  for (const int32_t weight : {1, 3, 85}) {
    Twin<int32_t> host(edges.size(), 1), there(edges.size(), 0);
    for (size_t turn = 0; turn < 3; ++turn) {
      // Each element meets the others in another order.
      std::vector<float> x(edges.size());
      for (size_t i = 0; i < x.size(); ++i) x[i] = edges[(i * (turn * 7 + 1) + turn * 5) % edges.size()];
      add_to_bins({host.high, host.low, host.window}, x, weight);
      for (size_t i = 0; i < x.size(); ++i) sdk::exact::add(there.sums(), i, x[i], weight);
    }
    CHECK(same_bytes(host.high, there.high));
    CHECK(same_bytes(host.low, there.low));
    CHECK(same_bytes(host.window, there.window));
    std::vector<float> wanted(edges.size()), got(edges.size());
    write_mean(wanted, Bins<const int32_t>{host.high, host.low, host.window}, 3.0 * weight);
    for (size_t i = 0; i < got.size(); ++i) got[i] = sdk::exact::mean(there.sums(), i, 3.0 * weight);
    CHECK(same_bytes(wanted, got));
  }
}

struct Opened {
  std::unique_ptr<Device> device;
  std::unique_ptr<Stream> stream;
  explicit Opened(const std::string& id) {
    const Job job = train_job("steps: 1", "device { " + id + " {} }");
    auto opened = Device::open(train_registry(), *job.device.entry, *job.device.config);
    REQUIRE_MESSAGE(opened.is_ok(), opened.status().message());
    device = std::move(opened).value();
    auto made = Stream::create(*device, 1, nullptr);
    REQUIRE(made.is_ok());
    stream = std::move(made).value();
  }
  DeviceMemory put(const std::vector<float>& values) {
    auto memory = DeviceMemory::allocate(*stream, values.size() * sizeof(float));
    REQUIRE(memory.is_ok());
    REQUIRE(stream->copy_in(memory->data(), values.data(), memory->bytes()));
    REQUIRE(stream->synchronize());
    return std::move(memory).value();
  }
};

// Two segments that are neighbours, one apart, one that is no mean; then the rest, which is no difference.
const std::vector<Segment> kSegments = {{"a", 0, 1000, ReduceRule::kMean},
                                        {"b", 1000, 24, ReduceRule::kMean},
                                        {"c", 1100, 7, ReduceRule::kMean},
                                        {"d", 1200, 50, ReduceRule::kNone},
                                        {"e", 1300, 40, ReduceRule::kMean}};
constexpr size_t kArena = 1400, kDifferences = 1300;

TEST_CASE("a sum on a device gives the bits of one on the host, met by ranks or alone") {
  Opened there("adding");
  REQUIRE(DeviceSum::is_offered(*there.device));
  for (const int64_t total : {3, 1000}) {
    auto host = ExactSum::create(kSegments, total), met = ExactSum::create(kSegments, total);
    auto sum = DeviceSum::create(*there.device, kSegments, kDifferences, total);
    REQUIRE(sum.is_ok());
    for (int round = 0; round < 2; ++round) {  // begin forgets what was
      (*host)->begin(), (*met)->begin();
      REQUIRE((*sum)->begin());
      int64_t left = total;
      for (uint32_t shard = 0; shard < 3; ++shard) {
        const auto weight = static_cast<int32_t>(shard == 2 ? left : 1);
        left -= weight;
        const auto seed = static_cast<uint32_t>(round) * 10 + shard;
        std::vector<float> values = finite_values(kArena, seed, true),
                           before = finite_values(kArena, 77, true);
        const DeviceMemory x = there.put(values), from = there.put(before);
        const auto* const at = static_cast<const float*>(x.data());
        REQUIRE((*sum)->accumulate(at, static_cast<const float*>(from.data()), at, weight));
        for (size_t i = 0; i < kDifferences; ++i) values[i] -= before[i];
        REQUIRE((*host)->accumulate(values, weight));
      }
      std::vector<float> wanted(kArena, 5), alone(kArena, 5), together(kArena, 5);
      (*host)->mean(wanted);
      REQUIRE((*sum)->mean(alone));
      REQUIRE((*sum)->give(**met, true));
      (*met)->mean(together);
      CHECK(same_bytes(wanted, alone));
      CHECK(same_bytes(wanted, together));
      CHECK(wanted[1225] == 5);
    }
  }
}

TEST_CASE("what cannot be added is refused in the host's words") {
  Opened there("adding");
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    for (const size_t place : {size_t{0}, size_t{1103}, size_t{1339}}) {
      auto host = ExactSum::create(kSegments, 2);
      auto sum = DeviceSum::create(*there.device, kSegments, kDifferences, 2);
      REQUIRE((*sum)->begin());
      std::vector<float> values = finite_values(kArena, 1, true);
      values[place] = bad;
      const DeviceMemory x = there.put(values);
      const auto* const at = static_cast<const float*>(x.data());
      const Status refused = (*sum)->accumulate(at, nullptr, at, 1);
      CHECK(refused.code() == Code::kNumeric);
      CHECK(refused.message() == (*host)->accumulate(values, 1).message());
    }
  }
  // A difference that is beyond f32, and weights that are too much.
  auto sum = DeviceSum::create(*there.device, kSegments, kDifferences, 2);
  REQUIRE((*sum)->begin());
  const DeviceMemory high = there.put(std::vector<float>(kArena, 3e38f)),
                     low = there.put(std::vector<float>(kArena, -3e38f));
  const auto* const at = static_cast<const float*>(high.data());
  CHECK((*sum)->accumulate(at, static_cast<const float*>(low.data()), at, 1).message() ==
        "\"a\": element 0 of 1000 is infinite");
  REQUIRE((*sum)->begin());
  CHECK((*sum)->accumulate(at, nullptr, at, 3).message() ==
        "exact sum: a shard of weight 3 goes beyond the total weight 2");
}

TEST_CASE("devices of the host's memory, and those without the arithmetic, leave it to the host") {
  CHECK_FALSE(DeviceSum::is_offered(*Opened("near").device));
  CHECK_FALSE(DeviceSum::is_offered(*Opened("far").device));
}

TEST_CASE("means come out of the device, results of shards do not") {
  const auto bytes_out = [](int shards) {
    const auto job = parse_job(
        train_registry(),
        "source { points {} } optimizer { roll {} } device { adding {} }\n"
        "layer { name: \"a\" input: \"x\" plane { units: 4000 } }\nlayer { name: \"b\" plane { units: 1 } }\n"
        "loss { target: \"label\" squares {} }\n"
        "train { batch: 2 steps: 4 local_steps: 2 shards: " +
            std::to_string(shards) + " }",
        "bytes");
    REQUIRE_MESSAGE(job.is_ok(), job.status().message());
    TestWorld world;
    adding_bytes_out = 0;
    const auto done = world.run(*job);
    REQUIRE_MESSAGE(done.is_ok(), done.status().message());
    return adding_bytes_out.load();
  };
  constexpr int64_t kWeights = 4 * (3 * 4000 + 4000);
  const int64_t of_two = bytes_out(2), of_eight = bytes_out(8);
  CHECK(of_two >= 2 * kWeights);            // the means of two rounds
  CHECK(of_eight - of_two < kWeights / 4);  // losses of six more shards, and what says that all was finite
}

}  // namespace
}  // namespace plait::inline train
