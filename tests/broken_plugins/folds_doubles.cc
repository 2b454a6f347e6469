// Adds up doubles, which rounds differently in every grouping.
// Caught by: associative
// Words: the bytes differ: folded from left to right, and
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool commutative = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Folded infer(Value in) const {
    if (in != Value::kF64) throw Error("values are ", name_of(in), ", wanted f64");
    return {Value::kF64, 8};
  }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    write_partial(partial, value_as<double>(value));
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    write_partial(into, partial_as<double>(into) + partial_as<double>(from));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.folds_doubles", "1.0.0", "Apache-2.0",
             combiner<Broken>("broken.folds_doubles_combiner"));
