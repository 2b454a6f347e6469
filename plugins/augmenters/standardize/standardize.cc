// Each sample by its own mean and deviation.
#include <plait/sdk.hpp>
#include <plait/sdk/fast.hpp>

#include <cmath>
#include <string>

using namespace plait::sdk;

namespace {

// In lanes of their own, so that loops become vectors and the order of adding is the same everywhere.
PLAIT_FAST void add(const uint8_t* x, size_t count, double about, double* sum, double* squares) {
  for (size_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(x[i]) - about;
    sum[i % 16] += value;
    squares[i % 16] += value * value;
  }
}
PLAIT_FAST void add(const float* x, size_t count, double about, double* sum, double* squares) {
  for (size_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(x[i]) - about;
    sum[i % 16] += value;
    squares[i % 16] += value * value;
  }
}
PLAIT_FAST void scale(const uint8_t* x, float* y, size_t count, float mean, float factor) {
  for (size_t i = 0; i < count; ++i) y[i] = (static_cast<float>(x[i]) - mean) * factor;
}
PLAIT_FAST void scale(const float* x, float* y, size_t count, float mean, float factor) {
  for (size_t i = 0; i < count; ++i) y[i] = (x[i] - mean) * factor;
}

struct Standardize {
  std::string part = "image";
  double epsilon = 1e-5;

  static void describe(Describe<Standardize>& d) {
    d.doc("gives each sample mean 0 and deviation 1");
    d.details(
        "(value - mean) / sqrt(variance + (epsilon range)^2), of all values of the sample's part together; "
        "range is 255 for "
        "u8 and 1\n"
        "for f32, so that a sample of one value becomes 0.\n"
        "Shapes: the part, of any shape without a varying axis, of u8 or f32, becomes f32.");
    d.field("part", &Standardize::part).doc("part of the sample");
    d.field("epsilon", &Standardize::epsilon).doc("least deviation that is divided by").above(0).at_most(1);
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {5, 4, 3}, "image");
    e.add("part: \"x\"").input(DType::f32, {33}, "x");
  }

  void infer(Parts& parts) const {
    PartSpec& values = parts.part(part);
    if ((values.dtype != DType::u8 && values.dtype != DType::f32) || values.variable_axis >= 0)
      parts.fail("part \"", part, "\" is ", name_of(values.dtype), std::span<const int64_t>(values.shape),
                 values.variable_axis >= 0 ? " with a variable axis" : "",
                 ", wanted u8 or f32 of a fixed shape");
    values.dtype = DType::f32;
  }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    if (in.dtype() == DType::u8) {
      change(in.data<uint8_t>(), out.f32(), 255);
    } else {
      change(in.data<float>(), out.f32(), 1);
    }
  }

 private:
  template <class V>
  void change(std::span<V> x, Out y, double range) const {
    if (x.empty()) return;
    // About the first value, so that numbers far from 0 keep their digits.
    const auto about = static_cast<double>(x[0]);
    double sums[16] = {}, of_squares[16] = {}, sum = 0, squares = 0;
    add(x.data(), x.size(), about, sums, of_squares);
    for (size_t lane = 0; lane < 16; ++lane) sum += sums[lane], squares += of_squares[lane];
    const auto count = static_cast<double>(x.size());
    const double mean = sum / count, variance = std::max(0.0, squares / count - mean * mean),
                 least = epsilon * range;
    scale(x.data(), y.data(), x.size(), static_cast<float>(about + mean),
          static_cast<float>(1 / std::sqrt(variance + least * least)));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.standardize", "1.0.0", "Apache-2.0", augmenter<Standardize>("plait.standardize"));
