// The settings that a sweep goes through: "optimizer.sgd.rate=choice(0.1,0.01)" and which combinations of
// them are run.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline cli {

// One setting with the values it takes, as they would be written after "=".
struct SweepAxis {
  std::string path;
  std::vector<std::string> values;
  // range(low,high) and log(low,high) without a count: any number between, for random search alone.
  bool is_interval = false;
  bool is_logarithmic = false;
  bool is_whole = false;  // whole numbers between alone: the field takes no others
  double low = 0, high = 0;
};

// Reads "PATH=VALUE". VALUE is choice(a,b,...), whose values may be whole plugins ("sgd{rate:0.1}");
// range(low,high,step) with both ends; log(low,high,count), evenly spaced in the logarithm; or anything else:
// one value. Fails with: kUsage when there is no "=", or the numbers do not make sense.
Result<SweepAxis> sweep_axis(const std::string& setting);

// Two values of an interval: where the first is good and the second is not, only whole numbers are wanted.
struct WholeTest {
  std::string whole, between;
};
// None of what is no interval, or has no such values.
std::optional<WholeTest> whole_test(const SweepAxis& axis);

// Every combination, the last axis fastest. Each holds a value per axis.
// Fails with: kUsage when an axis is an interval, or there are more than 100,000.
Result<std::vector<std::vector<std::string>>> grid(const std::vector<SweepAxis>& axes);

// `count` combinations drawn at random, none twice; fewer when there are not as many. The same for the same
// seed.
std::vector<std::vector<std::string>> random_search(const std::vector<SweepAxis>& axes, int count,
                                                    uint64_t seed);

}  // namespace plait::inline cli
