// Hyperbolic tangent, elementwise. A layer before it that can, absorbs it.
#include "tanh.h"

#include <plait/activation.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct TanhOnHost : Tanh, OneDnnElementwise<TanhOnHost, ActivationLoops<TanhOnHost>> {
  static OneDnnFunction onednn() {
    return {dnnl::algorithm::eltwise_tanh, 0, 0, dnnl::algorithm::eltwise_tanh_use_dst_for_bwd};
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.tanh", "1.0.0", "Apache-2.0", takes_bf16(layer<layers::TanhOnHost>("plait.tanh")),
             numerics(&onednn_facts));
