#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <limits>

#include "products.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Numbers = std::vector<double>;

// Records of one part x, `each` in a call. Runs all passes.
template <class V>
std::unique_ptr<AccumulatingTaskTest> moments_of(TestHost& host, DType dtype, std::vector<int64_t> shape,
                                                 const std::vector<std::vector<V>>& records,
                                                 Settings settings, size_t each = 2) {
  const Entry entry = linked("plait.moments");
  settings.set("part", "x");
  auto task = std::make_unique<AccumulatingTaskTest>(host, entry, settings,
                                                     std::vector<PartSpec>{{"x", dtype, std::move(shape)}});
  do {
    for (size_t begin = 0; begin < records.size(); begin += each) {
      RecordBytes call;
      for (size_t i = begin; i < std::min(begin + each, records.size()); ++i)
        call.push_back({record_of(records[i])});
      task->map(call);
    }
  } while (task->finish());
  return task;
}
Settings defaults() { return Settings(linked("plait.moments")); }

TEST_CASE("by hand: bytes, in one pass, exactly") {
  TestHost host;
  const std::vector<std::vector<uint8_t>> records = {{1, 0}, {2, 0}, {6, 255}};
  const auto task = moments_of<uint8_t>(host, DType::u8, {2}, records, defaults().set("covariance", true));
  CHECK(task->passes() == 1);
  CHECK(task->output("mean") == Numbers{3, 85});
  // Of 1, 2, 6: (4 + 1 + 9) / 3. Of 0, 0, 255: (2 * 85^2 + 170^2) / 3 = 14450. Of both: (3 * 170 + 85 * 3)
  // / 3.
  CHECK(task->output("covariance") == Numbers{14.0 / 3, 255, 255, 14450});
  CHECK(task->output("deviation") == Numbers{std::sqrt(14.0 / 3), std::sqrt(14450.0)});
  CHECK(task->output("minimum") == Numbers{1, 0});
  CHECK(task->output("maximum") == Numbers{6, 255});
  CHECK(task->output_spec("covariance").shape == std::vector<int64_t>{2, 2});
}

TEST_CASE("by hand: other numbers, in two passes") {
  TestHost host;
  const auto check = [&](auto zero, DType dtype) {
    using V = decltype(zero);
    const std::vector<std::vector<V>> records = {{-3, 2}, {1, 4}, {-1, 0}};
    const auto task = moments_of<V>(host, dtype, {1, 2}, records, defaults().set("covariance", true));
    CHECK(task->passes() == 2);
    CHECK(task->output("mean") == Numbers{-1, 2});
    CHECK(task->output("covariance") == Numbers{8.0 / 3, 4.0 / 3, 4.0 / 3, 8.0 / 3});
    CHECK(task->output("deviation") == Numbers{std::sqrt(8.0 / 3), std::sqrt(8.0 / 3)});
    CHECK(task->output("minimum") == Numbers{-3, 0});
    CHECK(task->output("maximum") == Numbers{1, 4});
  };
  check(float{}, DType::f32);
  check(double{}, DType::f64);
  check(int32_t{}, DType::i32);
  check(int64_t{}, DType::i64);
}

TEST_CASE("per channel: the last axis has the means, the others are samples") {
  TestHost host;
  const Settings per_channel = defaults().set("per", "channel").set("covariance", true);
  const std::vector<std::vector<uint8_t>> bytes = {{1, 10, 3, 10}, {5, 10, 7, 50}};
  const auto task = moments_of<uint8_t>(host, DType::u8, {2, 1, 2}, bytes, per_channel);
  CHECK(task->output("mean") == Numbers{4, 20});
  // Of -3, -1, 1, 3 and -10, -10, -10, 30.
  CHECK(task->output("covariance") == Numbers{5, 30, 30, 300});
  const std::vector<std::vector<float>> floats = {{1, 10, 3, 10}, {5, 10, 7, 50}};
  const auto same = moments_of<float>(host, DType::f32, {2, 1, 2}, floats, per_channel);
  for (const char* output : {"mean", "deviation", "minimum", "maximum", "covariance"})
    CHECK(task->output(output) == same->output(output));
  const auto one = moments_of<float>(host, DType::f32, {}, {{2}, {4}}, defaults().set("per", "channel"));
  CHECK(one->output("mean") == Numbers{3});
  CHECK(one->output("deviation") == Numbers{1});
}

TEST_CASE("a mean that is large beside the deviation costs no digits") {
  TestHost host;
  std::vector<std::vector<double>> records;
  for (int i = 0; i < 300; ++i) records.push_back({1e9 + (i % 3 - 1) * 0x1p-10, 0.1});
  const auto task = moments_of<double>(host, DType::f64, {2}, records, defaults(), 7);
  // -1, 0, 1 in units of 2^-10: 2/3. Values are exact (2^-10 is above the spacing 2^-23 of doubles at 1e9),
  // and what is left of rounding the first mean is corrected: some rounding of 300 additions, 300 * 2^-53.
  CHECK(task->output("deviation")[0] == doctest::Approx(std::sqrt(2.0 / 3) * 0x1p-10).epsilon(1e-13));
  CHECK(task->output("mean")[0] == 1e9);
  CHECK(task->output("mean")[1] == 0.1);
  // All values are 0.1: what remains is at most the rounding of the square of how far the first mean was
  // off, 300 * 2^-53 * 0.1.
  CHECK(task->output("deviation")[1] < 300 * 0x1p-53 * 0.1);
}

TEST_CASE("agrees with the obvious loop for sizes around the strips and panels") {
  TestHost host;
  Random random(3, 1);
  struct Case {
    std::vector<int64_t> shape;
    const char* per;
    bool covariance;
  };
  const Case cases[] = {{{2047}, "element", false},    {{2048}, "element", false},
                        {{4099}, "element", false},    {{700, 3}, "channel", false},
                        {{1, 2049}, "channel", false}, {{683, 1}, "channel", true},
                        {{15}, "element", true},       {{16}, "element", true},
                        {{33}, "element", true},       {{50, 17}, "channel", true}};
  for (const Case& one : cases) {
    size_t size = 1;
    for (const int64_t extent : one.shape) size *= static_cast<size_t>(extent);
    const bool per_element = std::string(one.per) == "element";
    const size_t n = per_element ? size : static_cast<size_t>(one.shape.back());
    std::vector<std::vector<uint8_t>> bytes(5);
    std::vector<std::vector<float>> floats(5);
    for (size_t r = 0; r < 5; ++r)
      for (size_t i = 0; i < size; ++i) {
        bytes[r].push_back(static_cast<uint8_t>(random.integer(3, 250)));
        floats[r].push_back(bytes[r].back());
      }
    const Settings settings = defaults().set("per", one.per).set("covariance", one.covariance);
    const auto exact = moments_of<uint8_t>(host, DType::u8, one.shape, bytes, settings, 3);
    const auto other = moments_of<float>(host, DType::f32, one.shape, floats, settings, 3);
    const double count = 5.0 * static_cast<double>(size / n);
    Numbers mean(n), low(n, 255), high(n);
    for (size_t r = 0; r < 5; ++r)
      for (size_t i = 0; i < size; ++i) {
        const double value = bytes[r][i];
        mean[i % n] += value / count;
        low[i % n] = std::min(low[i % n], value), high[i % n] = std::max(high[i % n], value);
      }
    CHECK(exact->output("minimum") == low);
    CHECK(exact->output("maximum") == high);
    CHECK(other->output("minimum") == low);
    CHECK(other->output("maximum") == high);
    // Sums of at most 4000 numbers below 2^8, each with an error of 2^-53 of the sum; products likewise.
    const double close = 4000 * 0x1p-53;
    double worst = 0;
    for (size_t i = 0; i < n; ++i) {
      double variance = 0;
      for (size_t r = 0; r < 5; ++r)
        for (size_t at = i; at < size; at += n)
          variance += (bytes[r][at] - mean[i]) * (bytes[r][at] - mean[i]) / count;
      for (const auto* task : {&exact, &other}) {
        worst = std::max(worst, std::abs((*task)->output("mean")[i] - mean[i]) / 256);
        const double deviation = (*task)->output("deviation")[i];
        worst = std::max(worst, std::abs(deviation * deviation - variance) / 65536);
      }
      if (n > 100 && i % 97 > 2) i += 50;  // each look copies all of an output
    }
    CHECK(worst < close);
    if (!one.covariance) continue;
    const Numbers first = exact->output("covariance"), second = other->output("covariance");
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        double wanted = 0;
        for (size_t r = 0; r < 5; ++r)
          for (size_t at = 0; at < size; at += n)
            wanted += (bytes[r][at + i] - mean[i]) * (bytes[r][at + j] - mean[j]) / count;
        worst = std::max(worst, std::abs(first[i * n + j] - wanted) / 65536);
        worst = std::max(worst, std::abs(second[i * n + j] - wanted) / 65536);
      }
    CHECK(worst < close);
  }
}

TEST_CASE("sums of bytes are exact where they are largest") {
  TestHost host;
  // 70,000 samples in a record: more than go into 32 bits at once.
  std::vector<uint8_t> white(70000, 255);
  const auto task = moments_of<uint8_t>(host, DType::u8, {70000, 1}, {white, white},
                                        defaults().set("per", "channel").set("covariance", true));
  CHECK(task->output("mean") == Numbers{255});
  CHECK(task->output("deviation") == Numbers{0});
  CHECK(task->output("covariance") == Numbers{0});
}

TEST_CASE("numbers that are none are refused") {
  TestHost host;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(moments_of<float>(host, DType::f32, {1}, {{1}, {nan}}, defaults()),
                    "record 1: element 0 of part \"x\" is nan, wanted a finite number");
}

TEST_CASE("parts that have no moments") {
  TestHost host;
  const Entry entry = linked("plait.moments");
  const auto try_on = [&](PartSpec part, bool covariance = false) {
    AccumulatingTaskTest(host, entry, Settings(entry).set("covariance", covariance), {std::move(part)});
  };
  CHECK_THROWS_WITH(try_on({"image", DType::f16, {4}}),
                    "part \"image\" is f16[4], wanted f32, f64, u8, i32 or i64");
  CHECK_THROWS_WITH(try_on({"image", DType::u8, {4, 2}, 0}),
                    "part \"image\" is u8[4, 2] with axis 0 variable, wanted a fixed shape");
  CHECK_THROWS_WITH(try_on({"image", DType::u8, {8193}}, true),
                    "part \"image\" is u8[8193], whose covariance is of 8193 numbers, wanted at most 8192");
  try_on({"image", DType::u8, {8193}});
}

}  // namespace
