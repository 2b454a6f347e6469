// Several threads add up in one place.
// Caught by: keys_concurrent
// Words: when several threads reduce by one instance at once
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
    static volatile int64_t sum = 0;
    sum = 0;
    while (const auto value = values.next()) {
      for (int i = 0; i < 100; ++i) sum = sum + 1;
      sum = sum - 100 + value_as<int64_t>(*value);
    }
    const int64_t all = sum;
    out.emit(key, all);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reduces_in_one_place", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.reduces_in_one_place_reducer"));
