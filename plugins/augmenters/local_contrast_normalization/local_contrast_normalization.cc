// Pictures less what is around each pixel, over how much that varies.
#include <plait/picture_filter.hpp>

using namespace plait::sdk;

namespace {

struct LocalContrastNormalization {
  static constexpr bool two_axes = true;
  std::string part = "image";
  double radius = 2;

  static void describe(Describe<LocalContrastNormalization>& d) {
    d.doc("takes from each pixel the mean around it, and divides by the deviation around it");
    d.details(
        "v = x - mean of x, y = v / max(deviation, mean deviation of the picture), where means are weighted "
        "by a gaussian "
        "and go over\n"
        "all channels, and the deviation is the root of the mean of v^2; a picture of one tone becomes 0. "
        "Beyond the "
        "edge lies the\n"
        "picture's reflection. Draws nothing.\n"
        "Shapes: the part [H, W, C] of u8 or f32 becomes f32 [H, W, C].\n"
        "Source: Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, section 2.1.");
    d.field("part", &LocalContrastNormalization::part).doc("part of the sample");
    d.field("radius", &LocalContrastNormalization::radius)
        .doc("standard deviation of the gaussian")
        .range(0.1, 50)
        .unit("px");
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {7, 9, 3}, "image");
    e.add("radius: 0.5").input(DType::f32, {6, 5, 1}, "image");
    e.add("radius: 1").input(DType::u8, {5, 4, 2}, "image", 0, 1);
  }

  void infer(Parts& parts) const {
    PartSpec& image = parts.part(part);
    const bool channels_vary = image.variable_axis == 2 || image.second_axis == 2;
    if (image.shape.size() != 3 || channels_vary || (image.dtype != DType::u8 && image.dtype != DType::f32)) {
      const plait_tensor_spec raw = image.c();
      throw Error("part \"", part, "\" is ", Spec(&raw), channels_vary ? ", whose channels vary" : "",
                  ", wanted [H, W, C] of u8 or f32");
    }
    image.dtype = DType::f32;
  }
  void open(Context&, const Parts& parts) {
    const std::vector<int64_t>& shape = parts.part(part).shape;
    const auto height = static_cast<size_t>(shape[0]), width = static_cast<size_t>(shape[1]);
    bytes_ = 2 * height * width * sizeof(float) + filter_workspace(height, width, 1, gaussian_radius(radius));
  }
  uint64_t workspace_bytes(Context&, int64_t batch) const { return batch == 0 ? bytes_ : 0; }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    call.same_extents(part);
    if (in.dtype() == DType::u8)
      normalize<uint8_t>(call, in, out);
    else
      normalize<float>(call, in, out);
  }

 private:
  template <class V>
  void normalize(const SampleCall& call, const Tensor& in, const Tensor& out) const {
    const auto height = static_cast<size_t>(call.extent(part, 0)),
               width = static_cast<size_t>(call.extent(part, 1));
    const auto channels = static_cast<size_t>(in.shape(2)), row = static_cast<size_t>(in.shape(1)) * channels;
    const size_t pixels = height * width;
    if (pixels == 0) return;
    const V* const x = in.data<V>().data();
    float* const y = out.f32().data();
    auto* const values = static_cast<float*>(call.workspace());
    float* const means = values + pixels;
    std::array<float, 301> room;  // of the largest radius that the field takes
    const std::span<const float> taps = gaussian_taps(radius, room);
    const auto smooth = [&] {
      filter_rows(
          height, width, 1, taps, means + pixels, [&](size_t i) { return values + i * width; },
          [&](size_t i, const float* sum) { std::copy_n(sum, width, means + i * width); });
    };
    const float each = 1 / static_cast<float>(channels);
    for (size_t i = 0; i < height; ++i)
      for (size_t j = 0; j < width; ++j) {
        float sum = 0;
        for (size_t c = 0; c < channels; ++c) sum += static_cast<float>(x[i * row + j * channels + c]);
        values[i * width + j] = sum * each;
      }
    smooth();
    for (size_t i = 0; i < height; ++i)
      for (size_t j = 0; j < width; ++j) {
        float squares = 0;
        for (size_t c = 0; c < channels; ++c) {
          const float less = static_cast<float>(x[i * row + j * channels + c]) - means[i * width + j];
          y[i * row + j * channels + c] = less;
          squares += less * less;
        }
        values[i * width + j] = squares * each;
      }
    smooth();
    double sum = 0;
    for (size_t i = 0; i < pixels; ++i)
      sum += static_cast<double>(means[i] = std::sqrt(std::max(0.0f, means[i])));
    const auto least = static_cast<float>(sum / static_cast<double>(pixels));
    for (size_t i = 0; i < height; ++i)
      for (size_t j = 0; j < width; ++j) {
        const float by = std::max(means[i * width + j], least);
        for (size_t c = 0; c < channels; ++c) {
          float& value = y[i * row + j * channels + c];
          value = by > 0 ? value / by : value;
        }
      }
  }

  uint64_t bytes_ = 0;
};

}  // namespace

PLAIT_PLUGIN("plait.local_contrast_normalization", "1.0.0", "Apache-2.0",
             augmenter<LocalContrastNormalization>("plait.local_contrast_normalization"));
