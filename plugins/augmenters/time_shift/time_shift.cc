// Earlier or later.
#include <plait/sound.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

using namespace plait::sdk;

namespace {

struct TimeShift {
  std::string part = "sound";
  double low = -0.1, high = 0.1, p = 1;
  bool wrap = false;

  static void describe(Describe<TimeShift>& d) {
    d.doc("moves a sound in time");
    d.details(
        "By a whole number of places along the first axis, next to s length, s drawn for the sample, evenly "
        "over low to high; s\n"
        "above 0 moves it to later. What comes in from outside is 0, or with wrap what went out at the other "
        "end.\n"
        "Shapes: the part [samples, ...] of f32; comes out as it goes in. Of a length that varies, the "
        "sample's "
        "own is moved.");
    d.field("part", &TimeShift::part).doc("part of the sample");
    d.field("low", &TimeShift::low).doc("least shift, as a share of the length").range(-1, 1);
    d.field("high", &TimeShift::high).doc("largest shift").range(-1, 1);
    d.field("wrap", &TimeShift::wrap).doc("what goes out comes in at the other end");
    d.field("p", &TimeShift::p).doc("chance that a sample is changed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add("low: -0.5 high: 0.5").input(DType::f32, {40}, "sound", 0);
    e.add("low: 0.2 high: 0.9 wrap: true p: 0.5").input(DType::f32, {20, 2}, "sound");
  }
  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
  }

  void infer(Parts& parts) const { sound_rows_part(parts, part); }
  void apply(Context&, SampleCall& call) const {
    const bool changes = call.random().chance(p);
    const double share = call.random().uniform(low, high);
    const auto [in, out] = call.part(part);
    call.same_extents(part);
    const int64_t length = call.extent(part, 0);
    const int64_t shift = changes ? std::llround(share * static_cast<double>(length)) : 0;
    const size_t row = in.shape(0) > 0 ? in.size() / static_cast<size_t>(in.shape(0)) : 0;
    const float* const x = in.data<float>().data();
    float* const y = out.data<float>().data();
    for (int64_t i = 0; i < length; ++i) {
      int64_t from = i - shift;
      if (wrap && length > 0) from = ((from % length) + length) % length;
      float* const to = y + static_cast<size_t>(i) * row;
      if (from >= 0 && from < length)
        std::copy_n(x + static_cast<size_t>(from) * row, row, to);
      else
        std::fill_n(to, row, 0.0f);
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.time_shift", "1.0.0", "Apache-2.0", augmenter<TimeShift>("plait.time_shift"));
