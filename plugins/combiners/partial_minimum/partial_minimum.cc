// The smallest of the values, where they are made.
#include <plait/sdk.hpp>
#include <plait/sdk/total_order.hpp>

using namespace plait::sdk;

namespace {

template <class N>
void keep_smallest(std::span<std::byte> into, std::span<const std::byte> from) {
  const N a = partial_as<N>(into), b = partial_as<N>(from);
  if (is_below(b, a)) write_partial(into, b);
}

struct PartialMinimum {
  static constexpr bool commutative = true;

  static void describe(Describe<PartialMinimum>& d) {
    d.doc("smallest value of a key: i64 or f64");
    d.details("Of f64s, -0 is smaller than +0.");
  }

  Folded infer(Value in) const {
    if (in == Value::kI64 || in == Value::kF64) return {in, 8};
    throw Error("values are ", name_of(in), ", wanted i64 or f64");
  }
  void open(Context&, Value in) { in_ = in; }

  void begin(std::string_view value, std::span<std::byte> partial) const {
    write_partial(partial, value_as<uint64_t>(value));  // the bytes as they are
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    if (in_ == Value::kI64) return keep_smallest<int64_t>(into, from);
    keep_smallest<double>(into, from);
  }

 private:
  Value in_{};
};

}  // namespace

PLAIT_PLUGIN("plait.partial_minimum", "1.0.0", "Apache-2.0",
             combiner<PartialMinimum>("plait.partial_minimum"));
