// Adds the sum of the key before.
// Caught by: keys_same
// Words: the same values are reduced again
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Value infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return Value::kI64;
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    static int64_t sum = 0;
    while (const auto value = values.next()) sum += 1 + value->size();
    out.emit(key, sum);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reduces_twice", "1.0.0", "Apache-2.0", reducer<Broken>("broken.reduces_twice_reducer"));
