// Adds normal noise in training.
#include <plait/sdk.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

using namespace plait::sdk;

namespace layers {
namespace {

// Four numbers of mean 0 and deviation 1 from the four words of a block. Source: Box, Muller 1958.
std::array<double, 4> normals(const PhiloxBlock& words) {
  std::array<double, 4> made{};
  for (size_t i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2 * std::log(Random::to_unit(words[i]) + 0x1p-33));
    const double angle = 6.283185307179586 * Random::to_unit(words[i + 1]);
    made[i] = radius * std::cos(angle);
    made[i + 1] = radius * std::sin(angle);
  }
  return made;
}

struct GaussianNoise {
  double deviation = 0.1;

  static void describe(Describe<GaussianNoise>& d) {
    d.doc("adds normal noise to each number, in training");
    d.details(
        "Shapes: x and y alike, f32. y = x + deviation n, n of mean 0 and deviation 1, drawn for each "
        "number\n"
        "and step; in evaluation, and frozen, y = x. dx = dy.\n"
        "Source: Bishop 1995 (it acts like a penalty on the curvature).");
    d.field("deviation", &GaussianNoise::deviation).doc("standard deviation of the noise").range(0, 1e6);
  }

  static void corrupts(Corruption& c) { c.by("gaussian", "deviation"); }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
    s.in_place();
  }

  struct Kernel;
};

struct GaussianNoise::Kernel {
  double deviation;
  bool frozen;  // part of a network that is as it is in evaluation

  Kernel(const GaussianNoise& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : deviation(config.deviation), frozen(r.parameters_frozen()) {
    n.backward_reads(Reads::nothing);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (!call.training() || frozen) return copy(call.input(), call.output());
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    const size_t count = call.input().size();
    const Random random = call.random();
    // Numbers 4 i .. 4 i + 3 take block i.
    c.parallel_for((count + 3) / 4, Context::kDefaultGrain / 16, [&](size_t i) {
      const auto noise = normals(random.block(i));
      for (size_t j = 0; j < 4 && 4 * i + j < count; ++j)
        y[4 * i + j] = static_cast<float>(x[4 * i + j] + deviation * noise[j]);
    });
  }
  void backward(Context&, const LayerCall& call) const {
    if (call.input_gradient()) copy(call.output_gradient(), call.input_gradient());
  }

 private:
  static void copy(Tensor from, Tensor to) {
    if (from.raw() != to.raw()) std::memcpy(to.raw(), from.raw(), from.bytes());
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.gaussian_noise", "1.0.0", "Apache-2.0",
             layer<layers::GaussianNoise>("plait.gaussian_noise"));
