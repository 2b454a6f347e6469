// LayerBench: create with the answers kept, destroy.
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "plan/kernel_notes.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/heap.h"

namespace plait::inline verify {
namespace {

LayerBench::Needs& answers(const plait_layer_needs* needs) {
  return *static_cast<LayerBench::Needs*>(needs->host_data);
}

plait_layer_needs needs_for(LayerBench::Needs& needs) {
  plait_layer_needs c{};
  c.struct_size = sizeof c;
  c.host_data = &needs;
  c.saved = [](const plait_layer_needs* n, uint64_t bytes) { answers(n).saved = bytes; };
  c.workspace = [](const plait_layer_needs* n, uint64_t bytes) { answers(n).workspace = bytes; };
  c.prepared = [](const plait_layer_needs* n, uint64_t bytes) { answers(n).prepared = bytes; };
  c.stored_elements = [](const plait_layer_needs* n, uint32_t index, uint64_t count) {
    answers(n).stored.emplace_back(index, count);
  };
  c.backward_reads = [](const plait_layer_needs* n, uint32_t reads) { answers(n).reads = reads; };
  c.accumulates = [](const plait_layer_needs* n) { answers(n).accumulates = true; };
  c.takes_int8 = [](const plait_layer_needs* n, uint32_t input) { answers(n).takes_int8.push_back(input); };
  return c;
}

bool has_gradient(uint32_t dtype) { return dtype == PLAIT_F32 || dtype == PLAIT_BF16; }

std::vector<uint8_t> needed_gradients(const LayerCase& made, const BenchOptions& options) {
  if (!options.gradient_needed.empty()) return options.gradient_needed;
  std::vector<uint8_t> needed;
  for (size_t i = 0; i < made.inputs.size(); ++i)
    needed.push_back(options.training && has_gradient(made.inputs[i].dtype) && made.range(i) == nullptr);
  return needed;
}

// y = x / (s + |x|), whose slope is (1 - |y|)^2 / s; s is in the data.
constexpr float kBend = 0.5f;

plait_epilogue bent() {
  plait_epilogue e{};
  e.struct_size = sizeof e;
  std::memcpy(e.data, &kBend, sizeof kBend);
  e.forward = [](const plait_epilogue* self, const float* x, float* y, uint64_t count) {
    float s;
    std::memcpy(&s, self->data, sizeof s);
    for (uint64_t i = 0; i < count; ++i) y[i] = x[i] / (s + std::abs(x[i]));
  };
  e.backward = [](const plait_epilogue* self, const float* y, const float* dy, float* dx, uint64_t count) {
    float s;
    std::memcpy(&s, self->data, sizeof s);
    for (uint64_t i = 0; i < count; ++i) dx[i] = dy[i] * ((1 - std::abs(y[i])) * (1 - std::abs(y[i])) / s);
  };
  return e;
}

}  // namespace

std::vector<Epilogue> accepted_epilogues(const Trial& trial, const LayerCase& made) {
  std::vector<Epilogue> all;
  for (const std::string& name : made.shapes.accepts) {
    if (name != PLAIT_EPILOGUE_FUNCTIONS) {
      const bool is_linear = name == "linear";
      all.push_back({name, is_linear ? 0.75 : name == "relu" ? 0.1 : 0.0, is_linear ? 0.25 : 0.0, {}});
    } else if (trial.device() == nullptr) {
      all.push_back({"acme.bent", 0, 0, bent()});
    }
  }
  return all;
}

Result<std::unique_ptr<LayerBench>> LayerBench::create(Trial& trial, const LayerCase& made,
                                                       BenchOptions options) {
  std::unique_ptr<LayerBench> bench(new LayerBench(made, std::move(options)));
  bench->device_ = trial.device();
  bench->options_.gradient_needed = needed_gradients(made, bench->options_);
  const uint64_t refused = bench->options_.refused_allocation;
  trial.doing((refused > 0 ? fmt::format("create with allocation {} refused, ", refused) : "create, ") +
              made.text());
  PLAIT_TRY(bench->create_instance(trial).at("create, " + made.text()));
  return bench;
}

Status LayerBench::create_instance(Trial& trial) {
  ops_ = &trial.ops<plait_layer_ops>();
  const RawParts inputs(layer_.inputs), outputs(layer_.shapes.outputs);
  plait_epilogue epilogue{};
  const plait_epilogue* const epilogues[] = {&epilogue};
  if (options_.epilogue) epilogue = options_.epilogue->c();
  plait_layer_request request{};
  request.struct_size = sizeof request;
  request.n_inputs = inputs.size();
  request.config = layer_.spec.plugin.config.get();
  request.inputs = inputs.data();
  request.input_gradient_needed = options_.gradient_needed.data();
  request.n_epilogues = options_.epilogue ? 1 : 0;
  request.training = options_.measuring ? uint32_t{PLAIT_MEASURING} : options_.training;
  request.epilogues = epilogues;
  request.parameters_frozen = options_.parameters_frozen;
  request.n_outputs = outputs.size();
  request.outputs = outputs.data();
  std::vector<const plait_range*> int8;
  for (const plait_range& range : options_.int8_ranges)
    int8.push_back(range.struct_size > 0 ? &range : nullptr);
  if (!int8.empty()) request.int8_ranges = int8.data();
  const plait_layer_needs needs = needs_for(needs_);
  CallContext context(options_.lanes, options_.parallel_for);
  PLAIT_ASSIGN(const auto side, DeviceSide::create(device_));
  side->serve(context);
  KernelNotes notes(*layer_.spec.plugin.entry, PLAIT_HOST_DEVICE);
  context.set_extension(PLAIT_EXTENSION_KERNEL_NOTES, notes.raw());
  const Status made = context.call([&] {
    const Refusal refusal(options_.refused_allocation);
    return ops_->create(context.raw(), &request, &needs, &self_);
  });
  kernels_ = notes.take();
  return made;
}

LayerBench::~LayerBench() {
  if (self_ != nullptr) ops_->destroy(self_);
}

uint64_t LayerBench::stored_elements(size_t parameter) const {
  for (const auto& [index, count] : needs_.stored)
    if (index == parameter) return count;
  return layer_.shapes.parameters[parameter].elements;
}

}  // namespace plait::inline verify
