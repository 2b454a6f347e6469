// Turns a picture by the extents of its memory, in place of those of the sample.
// Caught by: extents
// Words: depends on what lies past them
#include <plait/sdk.hpp>

#include <cstring>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr bool two_axes = true;

  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(Parts& parts) const {
    const PartSpec& image = parts.part("image");
    if (image.shape.size() != 3 || image.dtype != DType::f32) throw Error("wanted an image of f32");
  }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("image");
    call.same_extents("image");
    const auto rows = static_cast<size_t>(in.shape(0)), row = in.f32().size() / rows;
    for (size_t i = 0; i < rows; ++i)
      std::memcpy(out.f32().data() + i * row, in.f32().data() + (rows - 1 - i) * row, row * sizeof(float));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.turns_what_is_past", "1.0.0", "Apache-2.0", augmenter<Broken>("broken.turns_what_is_past"));
