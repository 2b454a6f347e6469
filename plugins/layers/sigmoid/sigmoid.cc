// Logistic function 1 / (1 + e^-x), elementwise. A layer before it that can, absorbs it.
#include "sigmoid.h"

#include <plait/activation.hpp>
#include <plait/onednn_elementwise.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct SigmoidOnHost : Sigmoid, OneDnnElementwise<SigmoidOnHost, ActivationLoops<SigmoidOnHost>> {
  static OneDnnFunction onednn() {
    return {dnnl::algorithm::eltwise_logistic, 0, 0, dnnl::algorithm::eltwise_logistic_use_dst_for_bwd};
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.sigmoid", "1.0.0", "Apache-2.0", takes_bf16(layer<layers::SigmoidOnHost>("plait.sigmoid")),
             numerics(&onednn_facts));
