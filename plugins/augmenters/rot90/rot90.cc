// Pictures turned by quarters.
#include <plait/turned_picture.hpp>

#include <algorithm>
#include <vector>

using namespace plait::sdk;

namespace {

struct Rot90 {
  static constexpr bool two_axes = true;
  std::string part = "image";
  std::vector<int64_t> quarters = {0, 1, 2, 3};

  static void describe(Describe<Rot90>& d) {
    d.doc("turns a picture by quarters of a circle");
    d.details(
        "One of the turns that are listed, all places of the list as likely; counter-clockwise, as NumPy's "
        "rot90 has it.\n"
        "Shapes: the part [H, W, C] of any element type. Where all turns are even it comes out as it goes "
        "in; where all are "
        "odd it\n"
        "becomes [W, H, C]; else H and W have to be alike.");
    d.field("part", &Rot90::part).doc("part of the sample");
    d.field("quarters", &Rot90::quarters).doc("turns to choose from").range(0, 3).unit("quarter");
  }
  static void examples(Examples& e) {
    e.add().input(DType::u8, {4, 4, 3}, "image");
    e.add("quarters: [1, 3]").input(DType::f32, {5, 4, 1}, "image");
    e.add("quarters: [0, 2]").input(DType::u8, {5, 4, 3}, "image", 0, 1);
    e.add("quarters: 3").input(DType::u8, {5, 4, 3}, "image", 0, 1);
    e.add("quarters: 1").input(DType::u8, {5, 4, 3}, "image", 0);
  }
  void validate() const {
    if (quarters.empty()) throw Error("quarters has no turn to choose from");
  }

  void infer(Parts& parts) const {
    PartSpec& image = picture_part(parts, part);
    const auto odd =
        std::count_if(quarters.begin(), quarters.end(), [](int64_t turn) { return turn % 2 == 1; });
    if (odd == 0) return;
    if (odd < static_cast<int64_t>(quarters.size())) return want_square(image);
    exchange_extents(image);
  }
  void apply(Context&, SampleCall& call) const {
    const int64_t turn = quarters[call.random().integer(static_cast<uint32_t>(quarters.size()))];
    if (turn == 0) return;
    // By one quarter a row comes from a column, the last one first.
    turn_picture(call, part,
                 {.exchange = turn != 2, .rows_from_end = turn >= 2, .columns_from_end = turn <= 2});
  }
};

}  // namespace

PLAIT_PLUGIN("plait.rot90", "1.0.0", "Apache-2.0", augmenter<Rot90>("plait.rot90"));
