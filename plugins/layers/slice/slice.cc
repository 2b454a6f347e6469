// A part of one axis.
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>

#include <algorithm>
#include <cstring>

using namespace plait::sdk;

namespace layers {
namespace {

struct Slice {
  int64_t axis = -1, begin = 0, end = 0;

  static void describe(Describe<Slice>& d) {
    d.doc("a part of one axis");
    d.details(
        "y is x from `begin` to before `end` along `axis`; both count from the end where they are negative,\n"
        "and an `end` of 0 is the end itself.\n"
        "Shapes: x [N, ...] f32 of any rank, y the same with another extent along `axis`.");
    d.field("axis", &Slice::axis).doc("which; -1 is the last, the channels; not the batch").range(-7, 7);
    d.field("begin", &Slice::begin).doc("the first that is kept").range(-kMostChannels, kMostChannels);
    d.field("end", &Slice::end)
        .doc("the first after it that is not kept")
        .range(-kMostChannels, kMostChannels);
  }

  void infer(LayerShapes& s) const {
    PartSpec part(s.input());
    const size_t a = place(s.input());
    const auto [from, to] = range(part.shape[a]);
    part.shape[a] = to - from;
    s.output(part.shape);
  }
  void needs(const LayerRequest&, LayerNeeds& n) const {
    n.backward_reads(Reads::nothing);
    n.accumulates();
  }

  void forward(Context& c, const LayerCall& call) const {
    const Sizes z(*this, call.input());
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(z.outer, 1 + Context::kDefaultGrain / (z.kept + 1), [&](size_t i) {
      std::memcpy(y + i * z.kept, x + i * z.all + z.offset, z.kept * sizeof(float));
    });
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    const Sizes z(*this, call.input_gradient());
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    const bool accumulate = call.accumulate();
    c.parallel_for(z.outer, 1 + Context::kDefaultGrain / (z.all + 1), [&](size_t i) {
      float* const to = dx + i * z.all;
      if (!accumulate) std::fill_n(to, z.all, 0.0f);
      for (size_t k = 0; k < z.kept; ++k) to[z.offset + k] += dy[i * z.kept + k];
    });
  }

 private:
  struct Range {
    int64_t from, to;
  };
  template <class Shaped>
  size_t place(const Shaped& x) const {
    if (x.dtype() != DType::f32 || x.rank() < 2) throw Error("input is ", x, ", wanted f32 [N, ...]");
    const int64_t at = axis < 0 ? axis + x.rank() : axis;
    if (at < 1 || at >= x.rank())
      throw Error("axis ", axis, " of ", x, " cannot be sliced: wanted 1 to ", x.rank() - 1, ", or -1 to ",
                  1 - x.rank());
    if (x.variable_axis() >= 0)
      throw Error("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    return static_cast<size_t>(at);
  }
  Range range(int64_t extent) const {
    const int64_t from = begin < 0 ? begin + extent : begin, to = end <= 0 ? end + extent : end;
    if (from < 0 || from >= to || to > extent)
      throw Error("cannot keep ", begin, " to ", end, " of an extent of ", extent, ": that is ", from, " to ",
                  to);
    return {from, to};
  }

  // In floats, of each of the `outer` parts.
  struct Sizes {
    size_t outer = 1, all, offset, kept;
    Sizes(const Slice& config, Tensor x) {
      const size_t a = config.place(x);
      size_t inner = 1;
      for (size_t i = 0; i < a; ++i) outer *= static_cast<size_t>(x.shape()[i]);
      for (size_t i = a + 1; i < x.shape().size(); ++i) inner *= static_cast<size_t>(x.shape()[i]);
      const auto [from, to] = config.range(x.shape()[a]);
      all = static_cast<size_t>(x.shape()[a]) * inner;
      offset = static_cast<size_t>(from) * inner;
      kept = static_cast<size_t>(to - from) * inner;
    }
  };
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.slice", "1.0.0", "Apache-2.0", layer<layers::Slice>("plait.slice"));
