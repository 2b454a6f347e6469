// The fields of normalize and what they make: factors and offsets. Shared by all its implementations.
#pragma once
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

namespace plait::normalize {

using namespace plait::sdk;

// Coefficients are repeated until they fill a run, which the loop over it is vectorised for: of few channels
// many times. Of one number for all, as many whatever the channels: they may be the bound of a text.
inline constexpr size_t kRun = 1024;

class Fields {
 public:
  static constexpr bool two_axes = true;
  std::string part = "image";
  std::vector<double> mean = {0}, deviation = {1};
  double scale = 1.0 / 255;
  StageOutput from;

  static void describe(Describe<Fields>& d) {
    d.doc("(x * scale - mean) / deviation, as f32");
    d.details(
        "Shapes: the part [..., C] of u8 or f32; comes out as f32. mean and deviation: one number, or one "
        "per channel.\n"
        "With from: (x - mean) / deviation by the arrays mean and deviation of that stage (moments), of one "
        "number, one per channel,\n"
        "or one per element, for numbers as the part has them; a deviation of 0 counts as 1.");
    d.field("part", &Fields::part).doc("part of the sample");
    d.field("mean", &Fields::mean).doc("taken off after scale, per channel");
    d.field("deviation", &Fields::deviation).doc("divided by after that, per channel").above(0);
    d.field("scale", &Fields::scale).doc("of the numbers as they come: 1/255 for bytes");
    d.field("from", &Fields::from).doc("stage that makes mean and deviation, in place of the fields");
  }
  static void examples(Examples& e) {
    e.add();
    e.add().input(DType::u8, {5, 4, 3}, "image", 0, 1);
    e.add("from: \"m\"")
        .input(DType::u8, {3, 2, 2}, "image")
        .stage("m", "mean", {2}, {100, 20})
        .stage("m", "deviation", {2}, {50, 0});
    e.add("from: \"m\" part: \"x\"")
        .input(DType::f32, {2, 2}, "x")
        .stage("m", "mean", {4}, {1, 2, 3, 4})
        .stage("m", "deviation", {4}, {1, 2, 3, 4});
  }

  void infer(Parts& parts) const {
    PartSpec& image = parts.part(part);
    check(image);
    image.dtype = DType::f32;
  }

  void open(Context&, const Parts& parts) {
    const PartSpec& image = parts.part(part);
    check(image);
    std::vector<double> means = mean, deviations = deviation;
    double factor = scale;
    if (from) {
      means = from.numbers("mean");
      deviations = from.numbers("deviation");
      std::ranges::replace(deviations, 0.0, 1.0);
      factor = 1;
    }
    const size_t most = std::max(means.size(), deviations.size());
    period_ = most;
    const size_t run = most * std::max<size_t>(1, kRun / most);
    for (size_t i = 0; i < run; ++i) {
      const double wide = deviations[i % deviations.size()];
      factors_.push_back(number(factor / wide));
      offsets_.push_back(number(-means[i % means.size()] / wide));
    }
  }

  // y[i] = x[i] factors[i % size] + offsets[i % size]
  const std::vector<float>& factors() const { return factors_; }
  const std::vector<float>& offsets() const { return offsets_; }
  // Numbers before they repeat.
  size_t period() const { return period_; }

 private:
  void check(const PartSpec& image) const {
    const plait_tensor_spec raw = image.c();
    const Spec spec(&raw);
    if (image.dtype != DType::u8 && image.dtype != DType::f32) {
      throw Error("part \"", part, "\" is ", spec, ", wanted u8 or f32");
    }
    if (from) return check_stage(image);
    check_count("mean", mean.size(), spec);
    check_count("deviation", deviation.size(), spec);
    for (size_t i = 0; i < std::max(mean.size(), deviation.size()); ++i) {
      const double wide = deviation[deviation.size() == 1 ? 0 : i];
      for (const double number : {scale / wide, mean[mean.size() == 1 ? 0 : i] / wide})
        if (!std::isfinite(static_cast<float>(number)))
          throw Error("scale and mean over deviation have to be numbers of f32: got ", number,
                      " for channel ", i);
    }
  }
  void check_stage(const PartSpec& image) const {
    int64_t elements = 1;
    for (const int64_t extent : image.shape) elements *= extent;
    const int64_t channels = image.shape.empty() ? 1 : image.shape.back();
    for (const char* array : {"mean", "deviation"}) {
      const auto shape = from.shape(array);
      if (shape.size() == 1 && (shape[0] == 1 || shape[0] == channels || shape[0] == elements)) continue;
      throw Error(array, " of stage \"", from.name(), "\" is ", shape, ", wanted [1], [", channels,
                  "] for the channels or [", elements, "] for the elements of part \"", part, "\"");
    }
  }
  static float number(double value) {
    const auto narrow = static_cast<float>(value);
    if (!std::isfinite(narrow))
      throw Error("mean or 1 over deviation is ", value, ", beyond the numbers of f32");
    return narrow;
  }
  void check_count(const char* field, size_t count, Spec image) const {
    const auto channels = static_cast<size_t>(image.rank() > 0 ? image.shape(-1) : 1);
    if (count != 1 && count != channels) {
      throw Error(field, " has ", count, " numbers, wanted 1 or ", channels, ", the channels of part \"",
                  part, "\" ", image);
    }
  }

  std::vector<float> factors_, offsets_;
  size_t period_ = 1;
};

}  // namespace plait::normalize
