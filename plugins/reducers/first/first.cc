// Keys: the first value, in the order of the records.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct First {
  static void describe(Describe<First>& d) {
    d.doc("keys: the value that came first, in the order of the records");
  }

  Value infer(Value in) const {
    if (in == Value::kBytes || in == Value::kI64 || in == Value::kF64) return in;
    throw Error("values are ", name_of(in), ", wanted bytes, i64 or f64");
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    if (const auto value = values.next()) out.emit(key, *value);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.first", "1.0.0", "Apache-2.0", reducer<First>("plait.first"));
