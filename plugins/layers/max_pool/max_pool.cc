// The largest number of each window; its place is kept for backward.
#include "max_pool.h"

#include <plait/onednn_pooling.hpp>
#include <plait/sdk/fast.hpp>

#include <cstring>
#include <optional>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/avx2.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/avx512.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

using namespace plait::sdk;

namespace layers {

struct MaxPool::Kernel {
  WindowWalk pool;
  size_t batch;
  std::optional<OneDnnPooling> onednn;

  Kernel(const MaxPool& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : pool(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
        batch(static_cast<size_t>(r.input().shape(0))) {
    const KernelNotes notes(c);
    if (config.implementation == "auto") notes.chose("implementation", "own");
    if (config.implementation == "onednn") {
      onednn.emplace(OneDnnPool::kLargest, config.window(r.input()), r, n);
      onednn->note(notes);
      return;
    }
    n.backward_reads(Reads::nothing);
    n.accumulates();
    if (r.training())
      n.saved(Checked(batch) * pool.sample_outputs * (bytes() ? sizeof(uint8_t) : sizeof(float)));
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    bytes() ? forward(c, call, call.saved<uint8_t>()) : forward(c, call, call.saved<float>());
  }
  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    if (!call.input_gradient()) return;
    bytes() ? backward(c, call, call.saved<uint8_t>()) : backward(c, call, call.saved<float>());
  }

 private:
  bool bytes() const { return pool.taps <= 256; }

  template <class Place>
  void forward(Context& c, const LayerCall& call, Place* places) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    if (!call.training()) places = nullptr;
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(pool_sample, pool, x + i * pool.sample_inputs, y + i * pool.sample_outputs,
                      places ? places + i * pool.sample_outputs : nullptr);
    });
  }
  template <class Place>
  void backward(Context& c, const LayerCall& call, const Place* places) const {
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(unpool_sample, pool, dy + i * pool.sample_outputs, places + i * pool.sample_outputs,
                      dx + i * pool.sample_inputs, call.accumulate());
    });
  }
  size_t grain() const { return 1 + Context::kDefaultGrain / (pool.sample_inputs + 1); }
};

}  // namespace layers

PLAIT_PLUGIN("plait.max_pool", "1.0.0", "Apache-2.0", layer<layers::MaxPool>("plait.max_pool"),
             numerics(&onednn_facts));
