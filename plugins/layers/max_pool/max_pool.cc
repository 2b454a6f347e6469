// The largest number of each window; its place is kept for backward.
#include "max_pool.h"

#include <plait/bf16.hpp>
#include <plait/onednn_pooling.hpp>
#include <plait/sdk/fast.hpp>

#include <cstring>
#include <optional>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "max_pool.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

using namespace plait::sdk;

namespace layers {

struct MaxPool::Kernel {
  WindowWalk pool;
  size_t batch;
  std::optional<OneDnnPooling> onednn;
  bool bf16;

  Kernel(const MaxPool& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : pool(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
        batch(static_cast<size_t>(r.input().shape(0))),
        bf16(r.input().dtype() == DType::bf16) {
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
    bf16 ? forward_of<uint16_t>(c, call) : forward_of<float>(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    if (!call.input_gradient()) return;
    bf16 ? backward_of<uint16_t>(c, call) : backward_of<float>(c, call);
  }

 private:
  bool bytes() const { return pool.taps <= 256; }

  template <class T>
  void forward_of(Context& c, const LayerCall& call) const {
    bytes() ? forward<T>(c, call, call.saved<uint8_t>()) : forward<T>(c, call, call.saved<float>());
  }
  template <class T>
  void backward_of(Context& c, const LayerCall& call) const {
    bytes() ? backward<T>(c, call, call.saved<uint8_t>()) : backward<T>(c, call, call.saved<float>());
  }

  template <class T, class Place>
  void forward(Context& c, const LayerCall& call, Place* places) const {
    const T* x = call.input().data<T>().data();
    T* y = call.output().data<T>().data();
    if (!call.training()) places = nullptr;
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(pool_sample, pool, x + i * pool.sample_inputs, y + i * pool.sample_outputs,
                      places ? places + i * pool.sample_outputs : nullptr);
    });
  }
  template <class T, class Place>
  void backward(Context& c, const LayerCall& call, const Place* places) const {
    const T* dy = call.output_gradient().data<T>().data();
    T* dx = call.input_gradient().data<T>().data();
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(unpool_sample, pool, dy + i * pool.sample_outputs, places + i * pool.sample_outputs,
                      dx + i * pool.sample_inputs, call.accumulate());
    });
  }
  size_t grain() const { return 1 + Context::kDefaultGrain / (pool.sample_inputs + 1); }
};

}  // namespace layers

PLAIT_PLUGIN("plait.max_pool", "1.0.0", "Apache-2.0", takes_bf16(layer<layers::MaxPool>("plait.max_pool")),
             numerics(&onednn_facts));
