// The mean of each window.
#include "average_pool.h"

#include <plait/bf16.hpp>
#include <plait/onednn_pooling.hpp>

#include <cstring>
#include <optional>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/avx2.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/avx512.hpp>
#include <plait/simd/bf16.inc.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/end.hpp>
// clang-format on

using namespace plait::sdk;

namespace layers {

struct AveragePool::Kernel {
  WindowWalk walk;
  bool include_padding;
  size_t batch;
  std::optional<OneDnnPooling> onednn;
  bool bf16;

  Kernel(const AveragePool& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : walk(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
        include_padding(config.count_include_pad),
        batch(static_cast<size_t>(r.input().shape(0))),
        bf16(r.input().dtype() == DType::bf16) {
    const KernelNotes notes(c);
    if (config.implementation == "auto") notes.chose("implementation", "onednn");
    if (config.implementation != "own") {
      onednn.emplace(include_padding ? OneDnnPool::kMean : OneDnnPool::kMeanOfInputs,
                     config.window(r.input()), r, n);
      onednn->note(notes);
      return;
    }
    n.backward_reads(Reads::nothing);
    n.accumulates();
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
  template <class T>
  void forward_of(Context& c, const LayerCall& call) const {
    const T* x = call.input().data<T>().data();
    T* y = call.output().data<T>().data();
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(average_sample, walk, include_padding, x + i * walk.sample_inputs,
                      y + i * walk.sample_outputs);
    });
  }
  template <class T>
  void backward_of(Context& c, const LayerCall& call) const {
    const T* dy = call.output_gradient().data<T>().data();
    T* dx = call.input_gradient().data<T>().data();
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(spread_sample, walk, include_padding, dy + i * walk.sample_outputs,
                      dx + i * walk.sample_inputs, call.accumulate());
    });
  }

  size_t grain() const { return 1 + Context::kDefaultGrain / (walk.sample_inputs + 1); }
};

}  // namespace layers

PLAIT_PLUGIN("plait.average_pool", "1.0.0", "Apache-2.0",
             takes_bf16(layer<layers::AveragePool>("plait.average_pool")), numerics(&onednn_facts));
