// A combiner: counts added up to a limit, where they stay. What is beyond is of no interest, and cannot
// overflow.
#include <plait/sdk.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  static constexpr bool commutative = true;
  int64_t limit = 100;

  static void describe(Describe<YourName>& d) {
    d.doc("sum of counts, at most a limit");
    d.details("Values: i64, of which negative ones count as 0: else the grouping would matter.");
    d.field("limit", &YourName::limit).doc("what no sum is above").range(1, 1e15);
  }

  Folded infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return {Value::kI64, sizeof(int64_t)};
  }

  void begin(std::string_view value, std::span<std::byte> partial) const {
    write_partial(partial, std::clamp(value_as<int64_t>(value), int64_t{0}, limit));
  }

  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    write_partial(into, std::min(partial_as<int64_t>(into) + partial_as<int64_t>(from), limit));
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             combiner<your_vendor::YourName>("your_vendor.your_name"));
