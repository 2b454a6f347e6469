// Pictures with white and black pixels.
#include <plait/noise.hpp>
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct SaltAndPepper : PictureAmount<SaltAndPepper> {
  static constexpr double kLow = 0, kHigh = 0.05;
  double salt = 0.5;

  static void describe(Describe<SaltAndPepper>& d) {
    d.doc("makes a random share of a picture's pixels white or black, in all channels");
    d.details(
        "The share is drawn for the sample; then each pixel is changed with that chance.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.");
    fields(d, "smallest share of the pixels", "largest share", 0, 1);
    d.field("salt", &SaltAndPepper::salt).doc("share of white among the changed pixels").range(0, 1);
  }

  uint64_t picture_workspace(size_t height, size_t width, size_t) const {
    return height * width * sizeof(uint32_t);
  }
  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    // Of the 2^32 words the lowest are salt, those above them pepper.
    const double share = draw(random);
    const auto white = static_cast<uint64_t>(share * salt * 0x1p32),
               changed = static_cast<uint64_t>(share * 0x1p32);
    auto* const words = static_cast<uint32_t*>(picture.workspace);
    fill_words(random.split(0), words, picture.pixels());
    picture.copy();
    for (size_t i = 0; i < picture.height; ++i) {
      V* const y = picture.y + i * picture.row;
      for (size_t j = 0; j < picture.width; ++j) {
        const uint64_t word = words[i * picture.width + j];
        if (word < changed)
          std::fill_n(y + j * picture.channels, picture.channels,
                      word < white ? static_cast<V>(kWhite<V>) : V{0});
      }
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.salt_and_pepper", "1.0.0", "Apache-2.0",
             augmenter<SaltAndPepper>("plait.salt_and_pepper"));
