// What the implementations of split share: its fields and shapes.
#pragma once
#include <plait/sdk.hpp>

namespace layers {

using namespace plait::sdk;

struct Split {
  static constexpr bool two_axes = true;
  int64_t channels = 0;

  static void describe(Describe<Split>& d) {
    d.doc("cuts the channels in two outputs");
    d.details("Shapes: x [..., C] f32; outputs [..., channels] and [..., C - channels].");
    d.field("channels", &Split::channels)
        .doc("channels of the first output")
        .range(1, kMostChannels)
        .required();
  }

  static void ports(Ports& p) {
    p.input("x", "[..., C]");
    p.output("first", "[..., channels]").doc("the first channels");
    p.output("rest", "[..., C - channels]").doc("the others");
  }

  void infer(LayerShapes& s) const {
    PartSpec part(s.input());
    if (part.dtype != DType::f32 || part.shape.size() < 2)
      s.fail("input is ", s.input(), ", wanted f32 [N, ..., C]");
    const int64_t all = part.shape.back();
    if (channels >= all) s.fail("cannot take ", channels, " of ", all, " channels and leave some");
    for (const int64_t extent : {channels, all - channels}) {
      part.shape.back() = extent;
      PartSpec& output = s.output(part.shape);
      output.variable_axis = part.variable_axis, output.second_axis = part.second_axis;
    }
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  struct Sizes {
    size_t all, first, second, rows;
    Sizes(const Split& config, Tensor x)
        : all(static_cast<size_t>(x.shape(-1))),
          first(static_cast<size_t>(config.channels)),
          second(all - first),
          rows(x.size() / all) {}
  };
};

}  // namespace layers
