// Spectrograms with stripes left out.
#include <plait/sdk.hpp>

#include <algorithm>
#include <string>

using namespace plait::sdk;

namespace {

struct SpecAugment {
  std::string part = "sound";
  int64_t time_masks = 2, time_width = 10, frequency_masks = 2, frequency_width = 4;
  double fill = 0, p = 1;

  static void describe(Describe<SpecAugment>& d) {
    d.doc("masks stripes of a spectrogram, in time and in frequency");
    d.details(
        "Each mask is as wide as drawn, evenly over 0 to its width (both included), and lies anywhere inside "
        "of "
        "the sample; masks may\n"
        "overlap. A mask is never wider than the sample.\n"
        "Shapes: the part f32 [rows, columns], rows being time; comes out as it goes in. Where the rows "
        "vary, "
        "masks lie in what the\n"
        "sample has.\n"
        "In training alone, so that it may stand in preprocess, behind log_mel, as well as in augment.\n"
        "Source: Park, Chan, Zhang, Chiu, Zoph, Cubuk, Le 2019, \"SpecAugment\", without its warping of "
        "time.");
    d.field("part", &SpecAugment::part).doc("part of the sample");
    d.field("time_masks", &SpecAugment::time_masks).doc("of rows").range(0, 64);
    d.field("time_width", &SpecAugment::time_width).doc("most rows of one").range(0, 65536);
    d.field("frequency_masks", &SpecAugment::frequency_masks).doc("of columns").range(0, 64);
    d.field("frequency_width", &SpecAugment::frequency_width).doc("most columns of one").range(0, 65536);
    d.field("fill", &SpecAugment::fill).doc("what masks hold");
    d.field("p", &SpecAugment::p).doc("chance that a sample is changed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add().input(DType::f32, {30, 12}, "sound", 0);
    e.add("time_masks: 1 time_width: 100 frequency_masks: 0 fill: -3 p: 0.5")
        .input(DType::f32, {20, 5}, "sound");
  }

  void infer(Parts& parts) const {
    const PartSpec& sound = parts.part(part);
    if (sound.dtype != DType::f32 || sound.shape.size() != 2 || sound.variable_axis > 0)
      throw Error("part \"", part, "\" is ", name_of(sound.dtype), std::span<const int64_t>(sound.shape),
                  sound.variable_axis > 0 ? " whose columns vary" : "",
                  ", wanted a spectrogram: f32[rows, columns]");
  }
  void apply(Context&, SampleCall& call) const {
    const Tensor out = call.pass(part);
    Random& random = call.random();
    if (!call.training() || !random.chance(p)) return;
    const int64_t rows = call.extent(part, 0), columns = out.shape(1);
    float* const y = out.data<float>().data();
    const auto value = static_cast<float>(fill);
    for (int64_t mask = 0; mask < time_masks; ++mask) {
      const auto [first, width] = stripe(random, time_width, rows);
      std::fill_n(y + first * columns, width * columns, value);
    }
    for (int64_t mask = 0; mask < frequency_masks; ++mask) {
      const auto [first, width] = stripe(random, frequency_width, columns);
      for (int64_t row = 0; row < rows; ++row) std::fill_n(y + row * columns + first, width, value);
    }
  }

 private:
  struct Stripe {
    int64_t first, width;
  };
  static Stripe stripe(Random& random, int64_t most, int64_t extent) {
    const int64_t width = random.integer(0, std::min(most, extent));
    return {random.integer(0, extent - width), width};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.spec_augment", "1.0.0", "Apache-2.0", augmenter<SpecAugment>("plait.spec_augment"));
