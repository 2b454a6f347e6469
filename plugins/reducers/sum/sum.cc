// Keys: the sum of the values.
#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>

#include <cmath>
#include <optional>

using namespace plait::sdk;

namespace {

__extension__ typedef __int128 Wide;  // enough for 2^64 values

int64_t sum_of_whole(std::string_view key, Values& values) {
  Wide sum = 0;
  while (const auto value = values.next()) sum += value_as<int64_t>(*value);
  if (sum < INT64_MIN || sum > INT64_MAX)
    throw NumericError("the sum of key ", excerpt(key), " is beyond an i64");
  return static_cast<int64_t>(sum);
}

double sum_of_reals(std::string_view key, Values& values) {
  OrderFreeSum sum;
  while (const auto value = values.next()) {
    if (values.kind() == Value::kSum)
      sum.add(value_as<plait_sum>(*value));
    else
      sum.add(value_as<double>(*value));
  }
  const double rounded = sum.value();
  if (!std::isfinite(rounded)) throw NumericError("the sum of key ", excerpt(key), " is beyond an f64");
  return rounded;
}

struct Sum {
  std::optional<double> least;

  static void describe(Describe<Sum>& d) {
    d.doc("keys: sum of the values, i64 of i64, f64 of f64; the same bits in any order");
    d.details(
        "i64: exact; fails with kNumeric where the sum is beyond 64 bits.\n"
        "f64, and what partial_sum made of them: added without rounding but for what lies 2^-96 below the "
        "largest magnitude,\n"
        "then rounded once. Fails with kNumeric where the sum is beyond an f64.\n"
        "Source: Demmel and Nguyen 2015, \"Parallel Reproducible Summation\".");
    d.field("least", &Sum::least).doc("keys whose sum is below it are left out; without it none");
  }

  Value infer(Value in) const {
    if (in == Value::kI64) return Value::kI64;
    if (in == Value::kF64 || in == Value::kSum) return Value::kF64;
    throw Error("values are ", name_of(in), ", wanted i64, f64 or sum of f64");
  }

  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    if (values.kind() == Value::kI64)
      emit(key, sum_of_whole(key, values), out);
    else
      emit(key, sum_of_reals(key, values), out);
  }

 private:
  // A long double holds every i64 and every f64.
  template <class N>
  void emit(std::string_view key, N sum, Emitter& out) const {
    if (!least || static_cast<long double>(sum) >= *least) out.emit(key, sum);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.sum", "1.0.0", "Apache-2.0", reducer<Sum>("plait.sum"));
