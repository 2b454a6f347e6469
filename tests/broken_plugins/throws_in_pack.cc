// Throws in pack.
// Caught by: packing
// Words: pack: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.weight("scale", {1}).init("ones");
  }
  void forward(Context&, const LayerCall& call) const {
    const In x = call.input().f32();
    for (size_t i = 0; i < x.size(); ++i) call.output().f32()[i] = call.parameter(0)[0] * x[i];
  }
  void backward(Context&, const LayerCall&) const {}
  void pack(Context&, uint32_t, const float*, float*) const { throw std::runtime_error("no more paper"); }
  void unpack(Context&, uint32_t, const float* stored, float* plain) const { plain[0] = stored[0]; }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_pack", "1.0.0", "Apache-2.0", layer<Broken>("broken.throws_in_pack_layer"));
