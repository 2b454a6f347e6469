// Keys: the largest value.
#include <plait/sdk.hpp>
#include <plait/sdk/total_order.hpp>

using namespace plait::sdk;

namespace {

template <class N>
void emit_largest(std::string_view key, Values& values, Emitter& out) {
  auto next = values.next();
  if (!next) return;
  N best = value_as<N>(*next);
  while ((next = values.next())) {
    const N value = value_as<N>(*next);
    if (is_below(best, value)) best = value;
  }
  out.emit(key, best);
}

struct Maximum {
  static void describe(Describe<Maximum>& d) {
    d.doc("keys: largest value, i64 or f64");
    d.details("Of f64s, -0 is smaller than +0.");
  }

  Value infer(Value in) const {
    if (in == Value::kI64 || in == Value::kF64) return in;
    throw Error("values are ", name_of(in), ", wanted i64 or f64");
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    if (values.kind() == Value::kI64) return emit_largest<int64_t>(key, values, out);
    emit_largest<double>(key, values, out);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.maximum", "1.0.0", "Apache-2.0", reducer<Maximum>("plait.maximum"));
