// Sum of inputs of one shape, in their order.
#include "add.h"

#include <plait/bf16.hpp>
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

PLAIT_FAST void sum_two(const uint16_t* a, const uint16_t* b, uint16_t* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = bf16_of_f32(f32_of_bf16(a[i]) + f32_of_bf16(b[i]));
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
    is_bf16(call.output()) ? forward_of<uint16_t>(c, call) : forward_of<float>(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    is_bf16(call.output_gradient()) ? backward_of<uint16_t>(c, call) : backward_of<float>(c, call);
  }

 private:
  static bool is_bf16(Tensor t) { return t.dtype() == DType::bf16; }

  template <class T>
  void forward_of(Context& c, const LayerCall& call) const {
    T* y = call.output().data<T>().data();
    c.parallel_for(call.output().size(), [&](size_t begin, size_t end) {
      for_tiles(begin, end, [&](size_t at, size_t count) {
        float first[kTile], wide[kTile], made[kTile];
        float* const to = place_of_f32(y + at, made);
        const float* sum = in_f32(call.input(0).data<const T>().data() + at, first, count);
        for (size_t i = 1; i < inputs; ++i, sum = to)
          sum_two(sum, in_f32(call.input(i).data<const T>().data() + at, wide, count), to, count);
        if (!function.is_identity()) function.apply(to, to, count);
        keep_f32(to, y + at, count);
      });
    });
  }

  // The last input first: the first one's gradient may lie where dy is.
  template <class T>
  void backward_of(Context& c, const LayerCall& call) const {
    const T* dy = call.output_gradient().data<const T>().data();
    const T* y = function.is_identity() ? nullptr : call.output().data<const T>().data();
    c.parallel_for(call.output_gradient().size(), [&](size_t begin, size_t end) {
      for_tiles(begin, end, [&](size_t at, size_t count) {
        T undone[kTile];
        const T* d = dy + at;
        if (y) undo(y + at, d, undone, count), d = undone;
        for (size_t i = inputs; i-- > 0;) {
          if (!call.input_gradient(i)) continue;
          T* dx = call.input_gradient(i).data<T>().data() + at;
          if (call.accumulate(i)) {
            sum_two(dx, d, dx, count);
          } else if (dx != d) {
            std::memcpy(dx, d, count * sizeof(T));
          }
        }
      });
    });
  }

  template <class T>
  void undo(const T* y, const T* dy, T* undone, size_t count) const {
    float wide_y[kTile], wide_dy[kTile];
    float* const to = place_of_f32(undone, wide_dy);
    function.undo(in_f32(y, wide_y, count), in_f32(dy, wide_dy, count), to, count);
    keep_f32(to, undone, count);
  }
};

}  // namespace layers

PLAIT_PLUGIN("plait.add", "1.0.0", "Apache-2.0", takes_bf16(layer<layers::Add>("plait.add")),
             numerics(&onednn_facts));
