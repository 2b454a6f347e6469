// Leaves the last bytes of its partial as they were.
// Caught by: one
// Words: byte 9 of 16 that begin has to write
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool commutative = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Folded infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return {Value::kBytes, 16};
  }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    write_partial(partial, value_as<int64_t>(value));
    partial[8] = std::byte{1};
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    write_partial(into, partial_as<int64_t>(into) + partial_as<int64_t>(from));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.folds_padding", "1.0.0", "Apache-2.0",
             combiner<Broken>("broken.folds_padding_combiner"));
