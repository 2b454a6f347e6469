// Logistic function 1 / (1 + e^-x), elementwise. A layer before it that can, absorbs it.
#include "sigmoid.h"

#include <plait/activation.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct SigmoidOnHost : Sigmoid, ActivationLayer<SigmoidOnHost> {};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.sigmoid", "1.0.0", "Apache-2.0",
             takes_bf16(layer<layers::SigmoidOnHost>("plait.sigmoid")));
