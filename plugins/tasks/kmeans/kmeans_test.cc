#include <doctest/doctest.h>
#include <plait/task_stage.h>
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Floats = std::vector<float>;
using Counts = std::vector<int64_t>;

struct Found {
  Floats centres;
  Counts count;
  double inertia = 0;
  int64_t passes = 0;
};

Settings with(int64_t k) { return Settings(linked("plait.kmeans")).set("part", "x").set("k", k); }

// Of vectors of d numbers, one after the other.
template <class V>
Found clusters_of(const std::vector<V>& vectors, size_t d, DType dtype, const Settings& settings,
                  uint64_t seed = 1) {
  TestHost host;
  AccumulatingTaskTest task(host, linked("plait.kmeans"), settings,
                            {{"x", dtype, {static_cast<int64_t>(d)}}});
  task.rng.key = seed;
  task.total = static_cast<int64_t>(vectors.size() / d);
  do {
    for (size_t first = 0; first < vectors.size(); first += 7 * d) {
      RecordBytes records;
      for (size_t at = first; at < std::min(vectors.size(), first + 7 * d); at += d)
        records.push_back({record_of(std::vector<V>(&vectors[at], &vectors[at] + d))});
      task.map(records);
    }
  } while (task.finish());
  return {task.output<float>("centres"), task.output<int64_t>("count"), task.output<double>("inertia")[0],
          task.passes()};
}

TEST_CASE("a stage with too few records is refused before the first pass") {
  const auto open = [](int64_t records, int64_t passes, const Settings& settings) {
    TestHost host;
    const plait_task_stage stage{sizeof stage, 0, records, passes};
    host.extensions[PLAIT_EXTENSION_TASK_STAGE] = &stage;
    AccumulatingTaskTest(host, linked("plait.kmeans"), settings, {{"x", DType::f32, {2}}});
  };
  CHECK_THROWS_WITH(open(3, 1000, with(4)), "the stage has 3 records, wanted at least k, 4");
  open(4, 1000, with(4));
  open(0, 27, with(4));  // as many as another stage will make
}

TEST_CASE("by hand: two pairs, whatever the start") {
  const auto check = [&](auto zero, DType dtype) {
    using V = decltype(zero);
    for (uint64_t seed = 1; seed < 20; ++seed) {
      Found found = clusters_of<V>({0, 10, 1, 11}, 1, dtype, with(2), seed);
      std::ranges::sort(found.centres);
      CHECK(found.centres == Floats{0.5, 10.5});
      CHECK(found.count == Counts{2, 2});
      CHECK(found.inertia == 1);
      CHECK(found.passes <= 5);  // a sample, up to two moves, and one that moves nothing
    }
  };
  check(float{}, DType::f32);
  check(double{}, DType::f64);
  check(uint8_t{}, DType::u8);
  check(int32_t{}, DType::i32);
  check(int64_t{}, DType::i64);
}

TEST_CASE("no iterations: the centres are the start, records of the input, and are measured") {
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const Found found = clusters_of<float>({0, 0, 4}, 1, DType::f32, with(2).set("iterations", 0), seed);
    // The second centre is never where the first one is: that has distance 0.
    CHECK(std::min(found.centres[0], found.centres[1]) == 0);
    CHECK(std::max(found.centres[0], found.centres[1]) == 4);
    CHECK(found.count == (found.centres[0] == 0 ? Counts{2, 1} : Counts{1, 2}));
    CHECK(found.inertia == 0);
    CHECK(found.passes == 2);
  }
}

TEST_CASE("the start prefers what is far away: with the probability of its squared distance") {
  int far = 0;
  constexpr int kDraws = 2000;
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    const Found found = clusters_of<float>({0, 1, 3}, 1, DType::f32, with(2).set("iterations", 0), seed);
    far += std::max(found.centres[0], found.centres[1]) == 3;
  }
  // First 0: 3 has 9 of 10. First 1: 4 of 5. First 3: it is there. (0.9 + 0.8 + 1) / 3 = 0.9, of which the
  // deviation over 2000 draws is below sqrt(0.9 * 0.1 / 2000) = 0.0067; five of them.
  CHECK(far / double{kDraws} == doctest::Approx(0.9).epsilon(5 * 0.0067 / 0.9));
}

TEST_CASE("ties go to the lowest, and a centre without records stays") {
  const Found found = clusters_of<float>({5, 5, 5, 9}, 1, DType::f32, with(4));
  CHECK(found.inertia == 0);
  CHECK(std::ranges::count(found.centres, 9.0F) >= 1);
  for (const float value : {5.0F, 9.0F}) {
    const auto first = static_cast<size_t>(std::ranges::find(found.centres, value) - found.centres.begin());
    for (size_t c = 0; c < 4; ++c)
      if (found.centres[c] == value) CHECK(found.count[c] == (c != first ? 0 : value == 5 ? 3 : 1));
  }
}

TEST_CASE("agrees with the obvious loop, also far from 0") {
  for (const double far : {0.0, 1000.0}) {
    for (const size_t d : {1, 15, 16, 37}) {
      for (const int64_t k : {1, 2, 16, 19}) {
        CAPTURE(far);
        CAPTURE(d);
        CAPTURE(k);
        Random random(d, static_cast<uint64_t>(k));
        Floats vectors;
        for (size_t i = 0; i < 101 * d; ++i) vectors.push_back(static_cast<float>(far + random.normal()));
        const auto nearest = [&](const Floats& centres, size_t r) {
          std::pair best{std::numeric_limits<double>::infinity(), size_t{0}};
          for (size_t c = 0; c < static_cast<size_t>(k); ++c) {
            double distance = 0;
            for (size_t i = 0; i < d; ++i)
              distance += std::pow(double{vectors[r * d + i]} - centres[c * d + i], 2);
            best = std::min(best, {distance, c});
          }
          return best;
        };
        const Found start = clusters_of(vectors, d, DType::f32, with(k).set("iterations", 0));
        const Found moved = clusters_of(vectors, d, DType::f32, with(k).set("iterations", 1));
        std::vector<double> sum(start.centres.size());
        Counts count(static_cast<size_t>(k));
        double inertia = 0;
        for (size_t r = 0; r < 101; ++r) {
          const auto [distance, c] = nearest(start.centres, r);
          inertia += distance, ++count[c];
          for (size_t i = 0; i < d; ++i) sum[c * d + i] += vectors[r * d + i];
        }
        CHECK(start.count == count);  // no two distances are as close as the rounding of f32
        // Differences are rounded to f32: 2^-24 each, twice as much of the square.
        CHECK(start.inertia == doctest::Approx(inertia).epsilon(0x1p-23));
        double worst = 0;
        for (size_t i = 0; i < sum.size(); ++i)
          worst = std::max(worst, std::abs(sum[i] / static_cast<double>(count[i / d]) - moved.centres[i]));
        CHECK(worst <= (far + 8) * 0x1p-24);  // a centre's rounding to f32
        CHECK(moved.inertia <= start.inertia);
      }
    }
  }
}

TEST_CASE(
    "after ten moves it still is where loops in f64 are: what f32 cannot tell apart is looked at again") {
  // Whole numbers about a far-off middle: ties are exact, and f32 rounds the products that they are found by.
  for (const size_t d : {7, 64}) {
    constexpr size_t kCount = 3000, kCentres = 37;
    CAPTURE(d);
    Random random(d, 1);
    Floats vectors;
    for (size_t i = 0; i < kCount * d; ++i)
      vectors.push_back(static_cast<float>(i / d % 5 * 50000 + random.integer(d == 7 ? 8 : 200)));
    const auto settings = with(kCentres);
    const Found found = clusters_of(vectors, d, DType::f32, Settings(settings).set("iterations", 10));
    const Floats start = clusters_of(vectors, d, DType::f32, Settings(settings).set("iterations", 0)).centres;
    std::vector<double> centres(start.begin(), start.end());
    for (int move = 0; move < 10; ++move) {
      std::vector<double> sum(centres.size()), count(kCentres);
      for (size_t r = 0; r < kCount; ++r) {
        std::pair best{std::numeric_limits<double>::infinity(), size_t{0}};
        for (size_t c = 0; c < kCentres; ++c) {
          double distance = 0;
          for (size_t i = 0; i < d; ++i) distance += std::pow(vectors[r * d + i] - centres[c * d + i], 2);
          best = std::min(best, {distance, c});
        }
        ++count[best.second];
        for (size_t i = 0; i < d; ++i) sum[best.second * d + i] += vectors[r * d + i];
      }
      for (size_t i = 0; i < sum.size(); ++i)
        if (count[i / d] > 0) centres[i] = static_cast<float>(sum[i] / count[i / d]);
    }
    double worst = 0;
    for (size_t i = 0; i < centres.size(); ++i)
      worst = std::max(worst, std::abs(centres[i] - found.centres[i]));
    CHECK(worst == 0);
  }
}

TEST_CASE("the sample is evenly spread over the input") {
  TestHost host;
  AccumulatingTaskTest task(host, linked("plait.kmeans"), with(2).set("sample", 4), {{"x", DType::f32, {1}}});
  task.total = 10;
  for (int half = 0; half < 2; ++half) {
    RecordBytes records;
    for (int i = 0; i < 5; ++i) records.push_back({record_of<float>({static_cast<float>(5 * half + i)})});
    task.map(records);
  }
  // i 4 / 10 is 0, 0.4, 0.8, 1.2, 1.6, 2, 2.4, 2.8, 3.2, 3.6.
  CHECK(task.accumulated<float>("sample") == Floats{0, 3, 5, 8});
}

TEST_CASE("tolerance ends it when the inertia falls by a smaller share") {
  Random random(4, 4);
  Floats vectors;
  for (int i = 0; i < 500; ++i) vectors.push_back(static_cast<float>(random.uniform()));
  // It always falls by less than all of itself: known after two measurements.
  CHECK(clusters_of(vectors, 1, DType::f32, with(8).set("tolerance", 1)).passes == 3);
  const Found some = clusters_of(vectors, 1, DType::f32, with(8).set("tolerance", 0.05));
  const Found all = clusters_of(vectors, 1, DType::f32, with(8));
  CHECK(some.passes < all.passes);
  CHECK(all.passes <= 27);
  CHECK(all.inertia <= some.inertia);
}

TEST_CASE("distances whose squares leave the range of f32 are refused, not compared wrongly") {
  const auto scaled = [](float scale) {
    return Floats{0 * scale, 10 * scale, 1 * scale, 11 * scale, -20 * scale};
  };
  for (const float scale : {1e17F, 1.0F, 1e-13F}) {
    CAPTURE(scale);
    Found found = clusters_of<float>(scaled(scale), 1, DType::f32, with(3));
    std::ranges::sort(found.count);
    CHECK(found.count == Counts{1, 2, 2});
    CHECK(found.inertia == doctest::Approx(std::pow(double{scale}, 2)));
  }
  for (const float scale : {1e37F, 1e31F, 1e19F, 1e-17F, 1e-23F, 1e-38F}) {
    CAPTURE(scale);
    for (const int64_t k : {2, 3})
      CHECK_THROWS_WITH(clusters_of<float>(scaled(scale), 1, DType::f32, with(k)),
                        doctest::Contains("beyond them f32 cannot compare distances"));
  }
  // One centre, and records far from it.
  CHECK_THROWS_WITH(clusters_of<float>({3e38F, -3e38F}, 1, DType::f32, with(1)),
                    doctest::Contains("a record's squared distance from its centre is "));
  CHECK(clusters_of<float>({1e-30F, 1e-30F, 1e-30F}, 1, DType::f32, with(2)).inertia == 0);
}

TEST_CASE("what cannot be is refused") {
  TestHost host;
  const Entry entry = linked("plait.kmeans");
  CHECK_THROWS_WITH(clusters_of<float>({1, 2}, 1, DType::f32, with(3)),
                    "the sample has 2 records, wanted at least k, 3");
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(clusters_of<float>({1, infinity}, 1, DType::f32, with(1)),
                    doctest::Contains("record 1: element 0 of part \"x\" is inf, wanted a finite number"));
  const auto try_on = [&](const Settings& settings, PartSpec part) {
    AccumulatingTaskTest(host, entry, settings, {std::move(part)});
  };
  CHECK_THROWS_WITH(try_on(with(5).set("sample", 4), {"x", DType::f32, {2}}),
                    "the start is drawn from a sample of 4 records, wanted at least k, 5");
  CHECK_THROWS_WITH(try_on(with(5), {"x", DType::f16, {2}}),
                    "part \"x\" is f16[2], wanted f32, f64, u8, i32 or i64 of a fixed shape");
  CHECK_THROWS_WITH(
      try_on(with(5), {"x", DType::u8, {2}, 0}),
      "part \"x\" is u8[2] with a variable axis, wanted f32, f64, u8, i32 or i64 of a fixed shape");
}

}  // namespace
