// Hyperbolic tangent, elementwise. A layer before it that can, absorbs it.
#include "tanh.h"

#include <plait/activation.hpp>

using namespace plait::sdk;

namespace layers {
namespace {

struct TanhOnHost : Tanh, ActivationLayer<TanhOnHost> {};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.tanh", "1.0.0", "Apache-2.0", takes_bf16(layer<layers::TanhOnHost>("plait.tanh")));
