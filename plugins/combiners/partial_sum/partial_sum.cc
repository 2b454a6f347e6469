// The sum of the values, where they are made. Of reals a sum that no order of adding changes.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct PartialSum {
  static constexpr bool commutative = true;

  static void describe(Describe<PartialSum>& d) {
    d.doc("sum of the values of a key: of i64 an i64, of f64 a sum that is the same in any order");
    d.details(
        "i64: exact; fails with kNumeric where a partial sum is beyond 64 bits, even where later values "
        "would "
        "bring it back.\n"
        "f64: folded into sums of f64, exact but for what lies 2^-96 below the largest magnitude; the "
        "reducer "
        "rounds once.\n"
        "Source: Demmel and Nguyen 2015, \"Parallel Reproducible Summation\".");
  }

  Folded infer(Value in) const {
    if (in == Value::kI64) return {Value::kI64, sizeof(int64_t)};
    if (in == Value::kF64 || in == Value::kSum) return {Value::kSum, sizeof(plait_sum)};
    throw Error("values are ", name_of(in), ", wanted i64, f64 or sum of f64");
  }
  void open(Context&, Value in) { in_ = in; }

  void begin(std::string_view value, std::span<std::byte> partial) const {
    if (in_ == Value::kI64) return write_partial(partial, value_as<int64_t>(value));
    if (in_ == Value::kSum) return write_partial(partial, value_as<plait_sum>(value));
    OrderFreeSum sum;
    sum.add(value_as<double>(value));
    write_partial(partial, sum.c());
  }

  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    if (in_ == Value::kI64) {
      const auto a = partial_as<int64_t>(into), b = partial_as<int64_t>(from);
      int64_t sum;
      if (__builtin_add_overflow(a, b, &sum)) throw NumericError(a, " + ", b, " is beyond an i64");
      return write_partial(into, sum);
    }
    OrderFreeSum sum(partial_as<plait_sum>(into));
    sum.add(partial_as<plait_sum>(from));
    write_partial(into, sum.c());
  }

 private:
  Value in_{};
};

}  // namespace

PLAIT_PLUGIN("plait.partial_sum", "1.0.0", "Apache-2.0", combiner<PartialSum>("plait.partial_sum"));
