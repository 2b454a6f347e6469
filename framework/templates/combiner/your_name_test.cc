// Tests of the combiner: sums below and at the limit, and another grouping of the same values.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  CombinerTest counts(host, entry, Settings(entry).set("limit", 10), Value::kI64);
  CHECK(counts.folds_into == Value::kI64);
  CHECK(counts.fold(values_of<int64_t>({1, 2, 3})) == value_of<int64_t>(6));
  CHECK(counts.fold(values_of<int64_t>({9, 9, -5})) == value_of<int64_t>(10));
  CHECK(counts.fold(values_of<int64_t>({INT64_MAX, INT64_MAX})) == value_of<int64_t>(10));

  const std::string right = counts.fold(values_of<int64_t>({9, -5}));
  CHECK(counts.fold(counts.begin(value_of<int64_t>(9)), right) == value_of<int64_t>(10));
  return 0;
}
