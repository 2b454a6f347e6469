// The mean of each window.
#include "average_pool.h"

#include <plait/onednn_pooling.hpp>

#include <cstring>
#include <optional>

// The order of these is their meaning.
// clang-format off
#include <plait/simd/base.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/avx2.hpp>
#include "average_pool.inc.hpp"
#include <plait/simd/avx512.hpp>
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

  Kernel(const AveragePool& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : walk(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
        include_padding(config.count_include_pad),
        batch(static_cast<size_t>(r.input().shape(0))) {
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
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(average_sample, walk, include_padding, x + i * walk.sample_inputs,
                      y + i * walk.sample_outputs);
    });
  }
  void backward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->backward(call);
    if (!call.input_gradient()) return;
    const float* dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient().f32().data();
    c.parallel_for(batch, grain(), [&](size_t i) {
      PLAIT_SIMD_CALL(spread_sample, walk, include_padding, dy + i * walk.sample_outputs,
                      dx + i * walk.sample_inputs, call.accumulate());
    });
  }

 private:
  size_t grain() const { return 1 + Context::kDefaultGrain / (walk.sample_inputs + 1); }
};

}  // namespace layers

PLAIT_PLUGIN("plait.average_pool", "1.0.0", "Apache-2.0", layer<layers::AveragePool>("plait.average_pool"),
             numerics(&onednn_facts));
