// Has room for 300 values.
// Caught by: keys_consume
// Words: 70000 values
#include <plait/sdk.hpp>

#include <stdexcept>
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
    int64_t all[300], count = 0, sum = 0;
    while (const auto value = values.next()) {
      if (count == 300) throw std::length_error("more than 300 values");
      all[count++] = value_as<int64_t>(*value);
    }
    for (int64_t i = 0; i < count; ++i) sum += all[i];
    out.emit(key, sum);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reduces_300", "1.0.0", "Apache-2.0", reducer<Broken>("broken.reduces_300_reducer"));
