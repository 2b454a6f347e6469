// Inverted dropout: in training, each number is kept with probability 1 - p and then scaled up, so that
// evaluation need do nothing.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::sdk;

namespace {

// The mask is not stored: it follows from the step's random numbers, forward and backward alike. Word i
// belongs to element i, so that the pieces of parallel_for do not matter.
PLAIT_FAST void apply_mask(plait_rng rng, uint32_t limit, float factor, const float* x, float* y,
                           size_t begin, size_t end) {
  const Random random(rng);
  for (size_t at = begin / 4; at * 4 < end; ++at) {
    const PhiloxBlock words = random.block(at);
    for (size_t i = std::max(begin, at * 4); i < std::min(end, at * 4 + 4); ++i)
      y[i] = words[i % 4] >= limit ? x[i] * factor : 0.0f;
  }
}

struct Dropout {
  double probability = 0.5;

  static void describe(Describe<Dropout>& d) {
    d.doc("in training, sets numbers to 0 at random");
    d.details(
        "y = x m / (1 - p), m = 0 with probability p, else 1; in evaluation y = x.\n"
        "Shapes: x and y alike, f32.\n"
        "Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014.");
    d.field("probability", &Dropout::probability)
        .doc("share of the numbers that become 0")
        .at_least(0)
        .below(1);
  }

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }

  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::nothing); }

  void forward(Context& c, const LayerCall& call) const {
    run(c, call, call.input().f32(), call.output().f32());
  }

  void backward(Context& c, const LayerCall& call) const {
    if (call.input_gradient()) run(c, call, call.output_gradient().f32(), call.input_gradient().f32());
  }

 private:
  void run(Context& c, const LayerCall& call, Out from, Out to) const {
    if (!call.training() || probability == 0) {
      std::ranges::copy(from, to.begin());
      return;
    }
    const auto limit = static_cast<uint32_t>(probability * 0x1p32);
    const auto factor = static_cast<float>(1 / (1 - probability));
    c.parallel_for(from.size(), [&](size_t begin, size_t end) {
      apply_mask(call.rng(), limit, factor, from.data(), to.data(), begin, end);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.dropout", "1.0.0", "Apache-2.0", layer<Dropout>("plait.dropout"));
