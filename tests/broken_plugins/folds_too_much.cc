// Wants partials that are larger than partials are.
// Caught by: declared
// Words: infer says partials of 5000 bytes, wanted 1 .. 4096
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool commutative = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Folded infer(Value) const { return {Value::kBytes, 5000}; }
  void begin(std::string_view, std::span<std::byte> partial) const { partial[0] = std::byte{1}; }
  void fold(std::span<std::byte>, std::span<const std::byte>) const {}
};

}  // namespace

PLAIT_PLUGIN("broken.folds_too_much", "1.0.0", "Apache-2.0",
             combiner<Broken>("broken.folds_too_much_combiner"));
