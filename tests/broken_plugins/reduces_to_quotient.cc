// Says f64, and divides by zero where the sum is 0.
// Caught by: keys_declared
// Words: says that values are f64, and emits one of 8 bytes|emits one of -?(nan|inf)
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Value infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return Value::kF64;
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    int64_t sum = 0;
    while (const auto value = values.next()) sum += value_as<int64_t>(*value);
    const double zero = 0;
    out.emit(key, 1 / (zero * static_cast<double>(sum)));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reduces_to_quotient", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.reduces_to_quotient_reducer"));
