#include "plan/convert.h"

#include <plait/bf16.hpp>

namespace plait::inline plan {
namespace {

struct Conversion {
  const plait_tensor* from;
  const plait_tensor* to;
};

int convert_piece(void* user, uint64_t begin, uint64_t end) {
  const auto& c = *static_cast<const Conversion*>(user);
  const size_t count = end - begin;
  if (c.from->dtype == PLAIT_F32)
    sdk::round_to_bf16(static_cast<const float*>(c.from->data) + begin,
                       static_cast<uint16_t*>(c.to->data) + begin, count);
  else
    sdk::widen_bf16(static_cast<const uint16_t*>(c.from->data) + begin,
                    static_cast<float*>(c.to->data) + begin, count);
  return PLAIT_OK;
}

int convert(plait_context* context, const plait_tensor* from, const plait_tensor* to) {
  constexpr uint64_t kGrain = 1 << 15;
  uint64_t count = 1;
  for (int i = 0; i < from->rank; ++i) count *= static_cast<uint64_t>(from->shape[i]);
  Conversion conversion{from, to};
  return context->parallel_for(context, count, kGrain, convert_piece, &conversion);
}

int forward(const void*, plait_context* context, const plait_layer_call* call) {
  return convert(context, call->inputs[0], call->outputs[0]);
}

int backward(const void*, plait_context* context, const plait_layer_call* call) {
  if (call->input_gradients[0] == nullptr) return PLAIT_OK;
  return convert(context, call->output_gradients[0], call->input_gradients[0]);
}

constexpr plait_layer_ops table() {
  plait_layer_ops ops{};
  ops.struct_size = sizeof ops;
  ops.forward = forward;
  ops.backward = backward;
  return ops;
}
constexpr plait_layer_ops kOps = table();

}  // namespace

MadeLayer make_conversion() {
  StepNeeds needs;
  needs.backward_reads = 0;
  needs.repeats = true;
  return MadeLayer{LayerInstance(&kOps, nullptr), needs, {{"own:convert"}, {"own:convert"}, {}}};
}

}  // namespace plait::inline plan
