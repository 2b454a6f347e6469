// An augmenter: covers a random square of the image with zeros.
// Source: DeVries, Taylor 2017, "Improved regularization of convolutional neural networks with cutout".
#include <plait/sdk.hpp>

#include <algorithm>
#include <cstring>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  int64_t edge = 8;

  static void describe(Describe<YourName>& d) {
    d.doc("covers a random square of part \"image\" with zeros");
    d.details("Shapes: image [H, W, C] of any type. The square's middle lies anywhere in the image.");
    d.field("edge", &YourName::edge).doc("edge of the square").unit("px").range(1, 4096);
  }

  void open(Context&, const Parts& parts) {
    if (parts.part("image").shape.size() != 3) parts.fail("part \"image\" is not [height, width, channels]");
  }

  void apply(Context&, SampleCall& call) const {
    const Tensor image = call.pass("image");  // a copy that may be changed
    const int64_t height = image.shape(0), width = image.shape(1);
    const int64_t top = call.random().integer(0, height - 1) - edge / 2;
    const int64_t left = call.random().integer(0, width - 1) - edge / 2;
    const int64_t from = std::max<int64_t>(left, 0), to = std::min(left + edge, width);
    const auto pixel = static_cast<int64_t>(image.bytes()) / (height * width);
    auto* bytes = static_cast<unsigned char*>(image.raw());
    for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + edge, height); ++y)
      std::memset(bytes + (y * width + from) * pixel, 0, static_cast<size_t>((to - from) * pixel));
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             augmenter<your_vendor::YourName>("your_vendor.your_name"));
