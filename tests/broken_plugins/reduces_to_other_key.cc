// Emits the sum under a longer key.
// Caught by: keys_declared
// Words: emits under another key than it is given
#include <plait/sdk.hpp>

#include <string>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Value infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return Value::kI64;
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    int64_t sum = 0;
    while (const auto value = values.next()) sum += value_as<int64_t>(*value);
    out.emit(std::string(key) + " sum", sum);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reduces_to_other_key", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.reduces_to_other_key_reducer"));
