// Several threads add up in one place.
// Caught by: concurrent
// Words: when several threads fold by one instance at once
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool commutative = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Folded infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return {Value::kI64, 8};
  }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    write_partial(partial, value_as<int64_t>(value));
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    place = partial_as<int64_t>(into);
    for (int i = 0; i < 3000; ++i) place = place + 1;
    place = place + partial_as<int64_t>(from) - 3000;
    const int64_t sum = place;
    write_partial(into, sum);
  }
  mutable volatile int64_t place = 0;
};

}  // namespace

PLAIT_PLUGIN("broken.folds_in_one_place", "1.0.0", "Apache-2.0",
             combiner<Broken>("broken.folds_in_one_place_combiner"));
