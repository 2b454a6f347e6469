// Sum of inputs of one shape, in their order.
#include "add.h"

#include <plait/onednn_joining.hpp>
#include <plait/sdk/fast.hpp>
#include <plait/tile_function.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

using namespace plait::sdk;

namespace layers {
namespace {

PLAIT_FAST void sum_two(const float* a, const float* b, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = a[i] + b[i];
}

constexpr size_t kTile = 2048;  // elements: the function then finds the sum in the first cache

template <class Work>
void for_tiles(size_t begin, size_t end, Work work) {
  for (; begin < end; begin += kTile) work(begin, std::min(kTile, end - begin));
}

}  // namespace

struct Add::Kernel {
  size_t inputs;
  TileFunction function;
  std::optional<OneDnnJoining> onednn;  // the forward pass

  Kernel(const Add& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : inputs(r.inputs()), function(TileFunction::of(r)) {
    n.backward_reads(function.is_identity() ? Reads::nothing : Reads::outputs);
    n.accumulates();
    const KernelNotes notes(c);
    if (config.implementation == Implementation::kAuto) notes.chose("implementation", "own");
    if (config.implementation != Implementation::kOneDnn || r.input().size() == 0) return;
    onednn.emplace(OneDnnJoining::sum(r));
    n.workspace(onednn->scratchpad_bytes());
    onednn->note(notes);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    float* y = call.output().f32().data();
    c.parallel_for(call.output().size(), [&](size_t begin, size_t end) {
      for_tiles(begin, end, [&](size_t at, size_t count) {
        const float* sum = call.input(0).f32().data();
        for (size_t i = 1; i < inputs; ++i, sum = y)
          sum_two(sum + at, call.input(i).f32().data() + at, y + at, count);
        if (!function.is_identity()) function.apply(y + at, y + at, count);
      });
    });
  }

  // The last input first: the first one's gradient may lie where dy is.
  void backward(Context& c, const LayerCall& call) const {
    const float* dy = call.output_gradient().f32().data();
    const float* y = function.is_identity() ? nullptr : call.output().f32().data();
    c.parallel_for(call.output_gradient().size(), [&](size_t begin, size_t end) {
      for_tiles(begin, end, [&](size_t at, size_t count) {
        float undone[kTile];
        const float* d = dy + at;
        if (y) function.undo(y + at, d, undone, count), d = undone;
        for (size_t i = inputs; i-- > 0;) {
          if (!call.input_gradient(i)) continue;
          float* dx = call.input_gradient(i).f32().data() + at;
          if (call.accumulate(i)) {
            sum_two(dx, d, dx, count);
          } else if (dx != d) {
            std::memcpy(dx, d, count * sizeof(float));
          }
        }
      });
    });
  }
};

}  // namespace layers

PLAIT_PLUGIN("plait.add", "1.0.0", "Apache-2.0", layer<layers::Add>("plait.add"), numerics(&onednn_facts));
