// Takes no notice of a value that was refused.
// Caught by: keys_pass_failure
// Words: succeeds though a value that it emits was refused
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
    int64_t sum = 0;
    while (const auto value = values.next()) sum += value_as<int64_t>(*value);
    try {
      out.emit(key, sum);
    } catch (const Error&) {
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reduces_on_and_on", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.reduces_on_and_on_reducer"));
