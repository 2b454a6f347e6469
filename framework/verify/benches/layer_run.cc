// LayerRun: the memory of calls, and what is looked at after them.
#include "verify/benches/layer_run.h"

#include <fmt/format.h>

#include "registry/shape_text.h"
#include "verify/engine/half.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

enum { kInputs, kOutputs, kOutputGradients, kInputGradients };

template <class Spec>
void make_blocks(std::vector<Guarded>& blocks, const std::vector<Spec>& specs,
                 const LayerRunOptions& options) {
  for (const Spec& spec : specs) blocks.emplace_back(byte_count(spec), options.poison, options.fence);
}

// Gradients of a bf16 tensor are bf16, all others f32.
std::vector<PartSpec> gradients_of(std::vector<PartSpec> specs) {
  for (PartSpec& spec : specs)
    if (spec.dtype != PLAIT_BF16) spec.dtype = PLAIT_F32;
  return specs;
}

using Named = std::vector<std::pair<std::string, const Guarded*>>;

std::string first_difference(const Named& some, const Named& others) {
  for (size_t i = 0; i < std::min(some.size(), others.size()); ++i)
    if (!some[i].second->same_bits(*others[i].second)) return some[i].first;
  return "";
}

bool same(const Guarded& block, const void* expected, uint64_t bytes) {
  return bytes == 0 || std::memcmp(block.data(), expected, bytes) == 0;
}

}  // namespace

LayerRun::LayerRun(const LayerBench& bench, const LayerValues& values, const LayerRunOptions& options)
    : saved(bench.needs().saved, options.poison, options.fence),
      workspace(bench.needs().workspace, options.poison, options.fence),
      prepared(bench.needs().prepared, options.poison, options.fence),
      context(bench.options().lanes, bench.options().parallel_for),
      bench_(bench),
      options_(options),
      values_(values) {
  const LayerCase& made = bench.layer();
  make_blocks(inputs, made.inputs, options);
  make_blocks(outputs, made.shapes.outputs, options);
  make_blocks(output_gradients, gradients_of(made.shapes.outputs), options);
  make_blocks(input_gradients, gradients_of(made.inputs), options);
  for (size_t i = 0; i < made.shapes.parameters.size(); ++i) {
    const uint64_t bytes = bench.stored_elements(i) * sizeof(float);
    parameters.emplace_back(bytes, options.poison, options.fence);
    parameter_gradients.emplace_back(bytes, options.poison, options.fence);
  }
  for (const ParameterInfo& info : made.shapes.buffers)
    buffers.emplace_back(info.elements * sizeof(float), options.poison, options.fence);
  stored_.resize(parameters.size());
}

Result<std::unique_ptr<LayerRun>> LayerRun::create(const LayerBench& bench, const LayerValues& values,
                                                   const LayerRunOptions& options) {
  std::unique_ptr<LayerRun> run(new LayerRun(bench, values, options));
  PLAIT_ASSIGN(run->side_, DeviceSide::create(bench.device()));
  PLAIT_TRY(run->lend_blocks());
  for (size_t i = 0; i < run->parameters.size(); ++i) PLAIT_TRY(run->set_parameter(i, values.parameters[i]));
  run->build_call();
  run->reset();
  return run;
}

// As the call is given them.
std::vector<uint8_t> LayerRun::output_gradient_bytes(size_t i) const {
  const std::vector<float>& values = values_.output_gradients[i];
  std::vector<uint8_t> bytes(output_gradients[i].bytes());
  if (bench_.layer().shapes.outputs[i].dtype != PLAIT_BF16) {
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  for (size_t k = 0; k < values.size(); ++k) {
    const uint16_t half = to_half(values[k], PLAIT_BF16);
    std::memcpy(&bytes[2 * k], &half, sizeof half);
  }
  return bytes;
}

Status LayerRun::lend_blocks() {
  side_->serve(context);
  for (auto* blocks :
       {&inputs, &outputs, &output_gradients, &input_gradients, &parameters, &parameter_gradients, &buffers})
    for (Guarded& block : *blocks) PLAIT_TRY(side_->lend(block));
  for (Guarded* block : {&saved, &workspace, &prepared}) PLAIT_TRY(side_->lend(*block));
  return {};
}

void LayerRun::reset() {
  const Poison poison = options_.poison;
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].write(values_.inputs[i].data(), inputs[i].bytes());
  for (auto* blocks : {&outputs, &input_gradients, &parameter_gradients})
    for (Guarded& block : *blocks) block.poison(poison);
  if (options_.in_place) inputs[0].write(values_.inputs[0].data(), inputs[0].bytes());
  for (size_t i = 0; i < output_gradients.size(); ++i)
    output_gradients[i].write(output_gradient_bytes(i).data(), output_gradients[i].bytes());
  for (size_t i = 0; i < buffers.size(); ++i) buffers[i].write(values_.buffers[i].data(), buffers[i].bytes());
  for (Guarded* block : {&saved, &workspace}) block->poison(poison);
}

Status LayerRun::take(const LayerValues& values) {
  values_.inputs = values.inputs, values_.output_gradients = values.output_gradients;
  values_.buffers = values.buffers;
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].write(values.inputs[i].data(), inputs[i].bytes());
  for (size_t i = 0; i < output_gradients.size(); ++i)
    output_gradients[i].write(output_gradient_bytes(i).data(), output_gradients[i].bytes());
  for (size_t i = 0; i < buffers.size(); ++i) buffers[i].write(values.buffers[i].data(), buffers[i].bytes());
  for (size_t i = 0; i < parameters.size(); ++i) PLAIT_TRY(set_parameter(i, values.parameters[i]));
  return {};
}

void LayerRun::fill_tensors(std::vector<plait_tensor>& tensors, const std::vector<PartSpec>& specs,
                            std::vector<Guarded>& blocks) {
  for (size_t i = 0; i < specs.size(); ++i) {
    tensors.push_back(tensor_of(specs[i]));
    tensors.back().data = blocks[i].given();
    tensors.back().name = nullptr;
  }
}

void LayerRun::set_input_extents(std::vector<plait_tensor>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const PartSpec& spec = bench_.layer().inputs[i];
    if (spec.variable_axis >= 0 && !values_.lengths[i].empty())
      tensors[i].lengths = values_.lengths[i].data();
    if (spec.second_axis >= 0 && !values_.second_lengths[i].empty())
      tensors[i].second_lengths = values_.second_lengths[i].data();
  }
}

// As a replica does it: see graph/replica_memory.cc.
void LayerRun::set_output_extents(std::vector<plait_tensor>& tensors) {
  for (const InferredExtent& one : bench_.layer().shapes.extents) {
    const auto from = static_cast<size_t>(one.source.tensor);
    const auto& known = one.source.axis == 0 ? values_.lengths[from] : values_.second_lengths[from];
    if (known.empty()) continue;
    std::vector<int32_t>& made = output_extents_.emplace_back();
    for (const int32_t extent : known) made.push_back(one.source(extent));
    (one.axis == 0 ? tensors[one.output].lengths : tensors[one.output].second_lengths) = made.data();
  }
}

void LayerRun::build_call() {
  const LayerCase& made = bench_.layer();
  fill_tensors(tensors_[kInputs], made.inputs, inputs);
  fill_tensors(tensors_[kOutputs], made.shapes.outputs, outputs);
  fill_tensors(tensors_[kOutputGradients], made.shapes.outputs, output_gradients);
  fill_tensors(tensors_[kInputGradients], made.inputs, input_gradients);
  for (const int list : {kInputs, kInputGradients}) set_input_extents(tensors_[list]);
  for (const int list : {kOutputs, kOutputGradients}) set_output_extents(tensors_[list]);
  if (options_.in_place) {
    tensors_[kOutputs][0].data = tensors_[kInputs][0].data;
    tensors_[kInputGradients][0].data = tensors_[kOutputGradients][0].data;
  }
  for (int list = 0; list < 4; ++list)
    for (const plait_tensor& tensor : tensors_[list]) pointers_[list].push_back(&tensor);
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    const bool skip = i < options_.skip_input_gradient.size() && options_.skip_input_gradient[i];
    if (skip || !bench_.options().gradient_needed[i]) pointers_[kInputGradients][i] = nullptr;
    accumulate_.push_back(options_.accumulate);
  }
  const bool frozen = options_.skip_parameter_gradients || bench_.options().parameters_frozen;
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameter_pointers_.push_back(parameters[i].given_as<float>());
    gradient_pointers_.push_back(frozen ? nullptr : parameter_gradients[i].given_as<float>());
  }
  for (Guarded& buffer : buffers) buffer_pointers_.push_back(buffer.given_as<float>());
}

Status LayerRun::set_parameter(size_t index, const std::vector<float>& plain) {
  std::vector<float>& stored = stored_[index];
  stored.assign(bench_.stored_elements(index), 0.0f);
  if (bench_.packs()) {
    parameters[index].poison(options_.poison);
    PLAIT_TRY(context
                  .call([&] {
                    return bench_.ops().pack(bench_.self(), context.raw(), static_cast<uint32_t>(index),
                                             plain.data(), parameters[index].as<float>());
                  })
                  .at("pack"));
    std::memcpy(stored.data(), parameters[index].data(), parameters[index].bytes());
  } else {
    if (stored.size() != plain.size())
      return broken("stored_elements differs from the plain count, but there is no pack");
    stored = plain;
    parameters[index].write(plain.data(), parameters[index].bytes());
  }
  values_.parameters[index] = plain;
  return {};
}

Result<std::vector<float>> LayerRun::parameter_gradient(size_t index) {
  std::vector<float> plain(bench_.layer().shapes.parameters[index].elements);
  const auto* stored = parameter_gradients[index].as<float>();
  if (!bench_.packs()) {
    plain.assign(stored, stored + plain.size());
    return plain;
  }
  PLAIT_TRY(context
                .call([&] {
                  return bench_.ops().unpack(bench_.self(), context.raw(), static_cast<uint32_t>(index),
                                             stored, plain.data());
                })
                .at("unpack"));
  return plain;
}

Status LayerRun::call(const char* what,
                      int (*function)(const void*, plait_context*, const plait_layer_call*)) {
  call_.struct_size = sizeof call_;
  call_.training = options_.measuring ? uint32_t{PLAIT_MEASURING} : options_.training;
  call_.inputs = pointers_[kInputs].data();
  call_.outputs = pointers_[kOutputs].data();
  const bool backward = std::strcmp(what, "backward") == 0;
  call_.output_gradients = backward ? pointers_[kOutputGradients].data() : nullptr;
  call_.input_gradients = backward ? pointers_[kInputGradients].data() : nullptr;
  call_.parameters = parameter_pointers_.data();
  call_.parameter_gradients = backward ? gradient_pointers_.data() : nullptr;
  call_.buffers = buffer_pointers_.data();
  call_.saved = saved.given();
  call_.workspace = workspace.given();
  call_.prepared = prepared.given();
  call_.accumulate = backward && options_.accumulate ? accumulate_.data() : nullptr;
  call_.step = options_.step;
  call_.rng = {0x5DEECE66Du, options_.counter};
  Status status = side_->around(context, [&] { return function(bench_.self(), context.raw(), &call_); });
  return status ? std::move(status) : status.at(what);
}

Status LayerRun::prepare() {
  if (!PLAIT_HAS(&bench_.ops(), prepare)) return {};
  return call("prepare", bench_.ops().prepare);
}
Status LayerRun::forward() { return call("forward", bench_.ops().forward); }
Status LayerRun::backward() { return call("backward", bench_.ops().backward); }

Status LayerRun::all() {
  PLAIT_TRY(prepare());
  PLAIT_TRY(forward());
  return bench_.options().training ? backward() : Status();
}

std::vector<std::pair<std::string, const Guarded*>> LayerRun::written(bool after_backward) const {
  std::vector<std::pair<std::string, const Guarded*>> list;
  const auto add = [&](const char* what, const std::vector<Guarded>& blocks) {
    for (size_t i = 0; i < blocks.size(); ++i) list.emplace_back(fmt::format("{} {}", what, i), &blocks[i]);
  };
  if (!options_.in_place) {
    add("output", outputs);
  } else {
    list.emplace_back("output 0", &inputs[0]);
  }
  add("buffer", buffers);
  if (!after_backward) return list;
  const auto backward = gradients();
  list.insert(list.end(), backward.begin(), backward.end());
  return list;
}

std::vector<std::pair<std::string, const Guarded*>> LayerRun::gradients() const {
  std::vector<std::pair<std::string, const Guarded*>> list;
  for (size_t i = 0; i < input_gradients.size(); ++i) {
    const Guarded& block = options_.in_place && i == 0 ? output_gradients[0] : input_gradients[i];
    if (pointers_[kInputGradients][i] != nullptr)
      list.emplace_back(fmt::format("gradient of input {}", i), &block);
  }
  for (size_t i = 0; i < parameter_gradients.size(); ++i) {
    if (gradient_pointers_[i] == nullptr) continue;
    list.emplace_back(fmt::format("gradient of parameter \"{}\"", bench_.layer().shapes.parameters[i].name),
                      &parameter_gradients[i]);
  }
  return list;
}

std::string LayerRun::overruns() const {
  std::string text;
  const auto look = [&](const std::string& what, const Guarded& block) {
    const std::string found = block.overrun();
    if (!found.empty())
      text += fmt::format("{}{} ({} bytes): {}", text.empty() ? "" : "; ", what, block.bytes(), found);
  };
  const auto look_all = [&](const char* what, const std::vector<Guarded>& blocks) {
    for (size_t i = 0; i < blocks.size(); ++i) look(fmt::format("{} {}", what, i), blocks[i]);
  };
  look_all("input", inputs), look_all("output", outputs), look_all("gradient of output", output_gradients);
  look_all("gradient of input", input_gradients), look_all("parameter", parameters);
  look_all("gradient of parameter", parameter_gradients), look_all("buffer", buffers);
  look("saved memory", saved), look("workspace", workspace), look("prepared memory", prepared);
  return text;
}

Status LayerRun::check_memory() {
  if (const std::string text = overruns(); !text.empty()) return broken("writes outside its memory: " + text);
  for (size_t i = options_.in_place ? 1 : 0; i < inputs.size(); ++i) {
    if (!same(inputs[i], values_.inputs[i].data(), inputs[i].bytes()))
      return broken(fmt::format("writes its input {}", i));
  }
  for (size_t i = options_.in_place ? 1 : 0; i < output_gradients.size(); ++i) {
    if (!same(output_gradients[i], output_gradient_bytes(i).data(), output_gradients[i].bytes()))
      return broken(fmt::format("writes the gradient of output {}, which it is given to read", i));
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!same(parameters[i], stored_[i].data(), parameters[i].bytes()))
      return broken(fmt::format("writes its parameter \"{}\"", bench_.layer().shapes.parameters[i].name));
  }
  return {};
}

Status LayerRun::check_written(bool after_backward) {
  for (const auto& [what, block] : written(after_backward)) {
    uint64_t first = 0;
    const uint64_t count = block->untouched_f32(&first);
    if (count == 0) continue;
    return broken(fmt::format("{}: {} of {} elements were never written (the first is {})", what, count,
                              block->bytes() / 4, first));
  }
  return {};
}

std::string LayerRun::difference(const LayerRun& other) const {
  const bool backward = bench_.options().training;
  return first_difference(written(backward), other.written(backward));
}

std::string LayerRun::gradient_difference(const LayerRun& other) const {
  return first_difference(gradients(), other.gradients());
}

}  // namespace plait::inline verify
