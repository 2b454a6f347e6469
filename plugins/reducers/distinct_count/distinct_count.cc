// Keys: how many different values there are.
#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>

#include <string>
#include <unordered_set>

using namespace plait::sdk;

namespace {

struct DistinctCount {
  int64_t most = 1'000'000;

  static void describe(Describe<DistinctCount>& d) {
    d.doc("keys: number of different values, exact");
    d.details(
        "Values are different when their bytes are: -0 and +0 are two. The different values of one key are "
        "held "
        "in memory.\n"
        "Fails with kInvalid where a key has more than `most`.");
    d.field("most", &DistinctCount::most)
        .doc("different values that a key may have")
        .range(1, 1e9)
        .unit("values");
  }

  Value infer(Value in) const {
    if (in == Value::kBytes || in == Value::kI64 || in == Value::kF64) return Value::kI64;
    // Equal sums may differ in their bytes.
    throw Error("values are ", name_of(in), ", wanted bytes, i64 or f64");
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    std::unordered_set<std::string> found;
    while (const auto value = values.next()) {
      if (!found.emplace(*value).second) continue;
      if (found.size() > static_cast<size_t>(most))
        throw Error("key ", excerpt(key), " has more than ", most, " different values, field \"most\"");
    }
    out.emit(key, static_cast<int64_t>(found.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.distinct_count", "1.0.0", "Apache-2.0", reducer<DistinctCount>("plait.distinct_count"));
