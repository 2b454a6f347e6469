// Cuts the channels in two: a layer of two outputs.
#include <plait/sdk.hpp>

#include <cstring>

namespace {

using namespace plait::sdk;

struct Split {
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
      s.output(part.shape).variable_axis = part.variable_axis;
    }
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  void forward(Context& c, const LayerCall& call) const {
    const Sizes z(*this, call.input());
    const float* x = call.input().f32().data();
    float *a = call.output(0).f32().data(), *b = call.output(1).f32().data();
    c.parallel_for(z.rows, 1 + Context::kDefaultGrain / z.all, [&](size_t i) {
      std::memcpy(a + i * z.first, x + i * z.all, z.first * sizeof(float));
      std::memcpy(b + i * z.second, x + i * z.all + z.first, z.second * sizeof(float));
    });
  }

  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Sizes z(*this, call.input_gradient());
    float* dx = call.input_gradient().f32().data();
    const float *da = call.output_gradient(0).f32().data(), *db = call.output_gradient(1).f32().data();
    c.parallel_for(z.rows, 1 + Context::kDefaultGrain / z.all, [&](size_t i) {
      std::memcpy(dx + i * z.all, da + i * z.first, z.first * sizeof(float));
      std::memcpy(dx + i * z.all + z.first, db + i * z.second, z.second * sizeof(float));
    });
  }

 private:
  struct Sizes {
    size_t all, first, second, rows;
    Sizes(const Split& config, Tensor x)
        : all(static_cast<size_t>(x.shape(-1))),
          first(static_cast<size_t>(config.channels)),
          second(all - first),
          rows(x.size() / all) {}
  };
};

}  // namespace

PLAIT_PLUGIN("plait.split", "1.0.0", "Apache-2.0", layer<Split>("plait.split"));
