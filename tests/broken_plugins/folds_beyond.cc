// Says 12 bytes, and writes 16.
// Caught by: declared
// Words: begin writes around its partial
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool commutative = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  struct Sum {
    int64_t sum, count;
  };
  Folded infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return {Value::kBytes, 12};
  }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    write_partial(partial, Sum{value_as<int64_t>(value), 1});
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    Sum a = partial_as<Sum>(into);
    const Sum b = partial_as<Sum>(from);
    a.sum += b.sum, a.count += b.count;
    write_partial(into, a);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.folds_beyond", "1.0.0", "Apache-2.0", combiner<Broken>("broken.folds_beyond_combiner"));
