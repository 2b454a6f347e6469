// Pictures of which squares are hidden.
#include <plait/picture.hpp>

using namespace plait::sdk;

namespace {

struct Cutout : PictureAugmenter<Cutout> {
  int64_t size = 8, count = 1;
  double fill = 0;

  static void describe(Describe<Cutout>& d) {
    d.doc("hides squares of a picture at random places");
    d.details(
        "The middle of each square is any pixel, all as likely: what lies beyond the edge hides nothing. "
        "Squares may overlap.\n"
        "Shapes: the part [H, W, C] of u8, or of f32 from 0 (black) to 1 (white); comes out as it goes in.\n"
        "Source: DeVries, Taylor 2017.");
    fields(d);
    d.field("size", &Cutout::size).doc("edge of a square").range(1, 1 << 20).unit("px");
    d.field("count", &Cutout::count).doc("squares").range(1, 1000);
    d.field("fill", &Cutout::fill).doc("what hides, as a share of white").range(0, 1);
  }

  template <class V>
  void change(Random& random, const Picture<V>& picture) const {
    picture.copy();
    if (picture.pixels() == 0) return;
    const V value = as_value<V>(static_cast<float>(fill) * kWhite<V>);
    for (int64_t i = 0; i < count; ++i) {
      const Range rows = draw(random, picture.height), columns = draw(random, picture.width);
      for (size_t row = rows.begin; row < rows.end; ++row)
        std::fill_n(picture.y + row * picture.row + columns.begin * picture.channels,
                    (columns.end - columns.begin) * picture.channels, value);
    }
  }

 private:
  struct Range {
    size_t begin, end;
  };
  // Of an even size the smaller half lies before the middle.
  Range draw(Random& random, size_t extent) const {
    const int64_t first = random.integer(0, static_cast<int64_t>(extent) - 1) - (size - 1) / 2;
    return {static_cast<size_t>(std::max<int64_t>(0, first)),
            static_cast<size_t>(std::min(static_cast<int64_t>(extent), first + size))};
  }
};

}  // namespace

PLAIT_PLUGIN("plait.cutout", "1.0.0", "Apache-2.0", augmenter<Cutout>("plait.cutout"));
