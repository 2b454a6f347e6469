// Pixels as numbers that a network likes: around 0, about 1 wide.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

// Coefficients are repeated until they fill a run: the loop over a run vectorises for every number of
// channels.
constexpr size_t kPixelsOfRun = 16;

PLAIT_FAST void scale_bytes(const uint8_t* x, const float* a, const float* b, size_t run, size_t size,
                            float* y) {
  for (size_t at = 0; at < size; at += run) {
    const size_t count = size - at < run ? size - at : run;
    for (size_t i = 0; i < count; ++i) y[at + i] = static_cast<float>(x[at + i]) * a[i] + b[i];
  }
}

PLAIT_FAST void scale_floats(const float* x, const float* a, const float* b, size_t run, size_t size,
                             float* y) {
  for (size_t at = 0; at < size; at += run) {
    const size_t count = size - at < run ? size - at : run;
    for (size_t i = 0; i < count; ++i) y[at + i] = x[at + i] * a[i] + b[i];
  }
}

class Normalize {
 public:
  std::string part = "image";
  std::vector<double> mean = {0}, deviation = {1};
  double scale = 1.0 / 255;

  static void describe(Describe<Normalize>& d) {
    d.doc("(x * scale - mean) / deviation, as f32");
    d.details(
        "Shapes: the part [..., C] of u8 or f32; comes out as f32. mean and deviation: one number, or one "
        "per channel.");
    d.field("part", &Normalize::part).doc("part of the sample");
    d.field("mean", &Normalize::mean).doc("taken off after scale, per channel");
    d.field("deviation", &Normalize::deviation).doc("divided by after that, per channel").above(0);
    d.field("scale", &Normalize::scale).doc("of the numbers as they come: 1/255 for bytes");
  }

  void infer(Parts& parts) const {
    PartSpec& image = parts.part(part);
    check(image);
    image.dtype = DType::f32;
  }

  void open(Context&, const Parts& parts) {
    const PartSpec& image = parts.part(part);
    check(image);
    const size_t channels = image.shape.empty() ? 1 : static_cast<size_t>(image.shape.back());
    for (size_t i = 0; i < channels * kPixelsOfRun; ++i) {
      const double wide = deviation[deviation.size() == 1 ? 0 : i % channels];
      factors_.push_back(static_cast<float>(scale / wide));
      offsets_.push_back(static_cast<float>(-mean[mean.size() == 1 ? 0 : i % channels] / wide));
    }
  }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    if (in.c()->lengths) call.set_length(part, in.c()->lengths[0]);
    const float *a = factors_.data(), *b = offsets_.data();
    float* y = out.f32().data();
    if (in.dtype() == DType::u8) {
      scale_bytes(in.data<uint8_t>().data(), a, b, factors_.size(), in.size(), y);
    } else {
      scale_floats(in.f32().data(), a, b, factors_.size(), in.size(), y);
    }
  }

 private:
  void check(const PartSpec& image) const {
    const plait_tensor_spec raw = image.c();
    const Spec spec(&raw);
    if (image.dtype != DType::u8 && image.dtype != DType::f32) {
      throw Error("part \"", part, "\" is ", spec, ", wanted u8 or f32");
    }
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
  void check_count(const char* field, size_t count, Spec image) const {
    const auto channels = static_cast<size_t>(image.rank() > 0 ? image.shape(-1) : 1);
    if (count != 1 && count != channels) {
      throw Error(field, " has ", count, " numbers, wanted 1 or ", channels, ", the channels of part \"",
                  part, "\" ", image);
    }
  }

  std::vector<float> factors_, offsets_;
};

}  // namespace

PLAIT_PLUGIN("plait.normalize", "1.0.0", "Apache-2.0", augmenter<Normalize>("plait.normalize"));
