// Adds up what it was ever given.
// Caught by: same
// Words: the same values are folded again, to other bytes
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
    all += partial_as<int64_t>(from) | 1;
    write_partial(into, all);
  }
  mutable int64_t all = 0;
};

}  // namespace

PLAIT_PLUGIN("broken.folds_with_memory", "1.0.0", "Apache-2.0",
             combiner<Broken>("broken.folds_with_memory_combiner"));
