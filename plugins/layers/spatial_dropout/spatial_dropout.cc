// Dropout of whole channels. Source: Tompson, Goroshin, Jain, LeCun, Bregler 2015, section 3.2.
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <cstring>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void scale(const float* from, const float* factors, float* to, size_t channels) {
#pragma GCC ivdep  // to may be from
  for (size_t k = 0; k < channels; ++k) to[k] = from[k] * factors[k];
}

struct SpatialDropout {
  static constexpr bool two_axes = true;
  double rate = 0.5;

  static void describe(Describe<SpatialDropout>& d) {
    d.doc("drops whole channels of a sample at random in training, keeps their expectation");
    d.details(
        "Shapes: x [N, ..., C] f32, y alike. All of a sample's channel is 0 with probability rate, else\n"
        "x / (1 - rate); in evaluation, and frozen, y = x.\n"
        "Source: Tompson, Goroshin, Jain, LeCun, Bregler 2015, section 3.2.");
    d.field("rate", &SpatialDropout::rate).doc("probability that a channel is dropped").at_least(0).below(1);
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    if (x.dtype() != DType::f32 || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ..., C]");
    if (x.varies(x.rank() - 1)) s.fail("the channels of the input vary, wanted a fixed number");
    s.output_like(0);
    s.in_place();
  }

  struct Kernel;
};

struct SpatialDropout::Kernel {
  double rate;
  bool frozen;  // part of a network that is as it is in evaluation
  size_t batch, rows, channels;

  Kernel(const SpatialDropout& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : rate(config.rate),
        frozen(r.parameters_frozen()),
        batch(static_cast<size_t>(r.input().shape(0))),
        channels(static_cast<size_t>(r.input().shape(-1))) {
    rows = r.input().size() / std::max<size_t>(batch * channels, 1);
    n.backward_reads(Reads::nothing);
    if (r.training() && !frozen) n.workspace(Checked(batch) * channels * sizeof(float));
  }

  void forward(Context& c, const LayerCall& call) const {
    apply(c, call, call.input().f32().data(), call.output().f32().data());
  }
  // The numbers of a step are the same in backward: which channels were dropped need not be kept.
  void backward(Context& c, const LayerCall& call) const {
    if (call.input_gradient())
      apply(c, call, call.output_gradient().f32().data(), call.input_gradient().f32().data());
  }

 private:
  void apply(Context& c, const LayerCall& call, const float* from, float* to) const {
    if (!call.training() || frozen) {
      if (from != to) std::memcpy(to, from, batch * rows * channels * sizeof(float));
      return;
    }
    auto* factors = call.workspace<float>();
    draw(call.random(), factors);
    c.parallel_for(batch * rows, 1 + Context::kDefaultGrain / (channels + 1), [&](size_t r) {
      scale(from + r * channels, factors + r / rows * channels, to + r * channels, channels);
    });
  }
  // Channel k of sample n takes word n C + k.
  void draw(const Random& random, float* factors) const {
    const auto limit = static_cast<uint64_t>(rate * 0x1p32);
    const auto kept = static_cast<float>(1 / (1 - rate));
    for (size_t i = 0; i < batch * channels; i += 4) {
      const PhiloxBlock words = random.block(i / 4);
      for (size_t j = 0; j < 4 && i + j < batch * channels; ++j)
        factors[i + j] = words[j] >= limit ? kept : 0.0f;
    }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.spatial_dropout", "1.0.0", "Apache-2.0",
             layer<layers::SpatialDropout>("plait.spatial_dropout"));
