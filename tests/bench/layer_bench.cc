#include "layer_bench.h"

#include <plait/bf16.hpp>

namespace plait::bench {

using namespace sdk;
using namespace sdk::testing;

namespace {

// Numbers in [low, high), in f32 or bf16.
void randomize(TestTensor& tensor, uint64_t seed, double low, double high) {
  if (tensor.spec().dtype == DType::f32) return void(tensor.randomize(seed, low, high));
  Random random(seed, 0);
  for (uint16_t& bits : tensor.data<uint16_t>())
    bits = bf16_of_f32(static_cast<float>(random.uniform(low, high)));
}

std::vector<PartSpec> specs(const std::deque<TestTensor>& tensors) {
  std::vector<PartSpec> all;
  for (const TestTensor& one : tensors) all.push_back(one.spec());
  return all;
}

}  // namespace

LayerBench::LayerBench(const Registry& registry, const LayerCase& made) {
  const TypeEntry* entry = registry.find("layer", made.type);
  if (!entry) throw std::runtime_error("no plugin has " + made.type);
  const auto ops = registry.ops<plait_layer_ops>(made.type, kCpu);
  if (!ops) throw std::runtime_error(ops.status().message());
  ops_ = *ops;
  settings_ = Settings(entry->type->fields, entry->type->n_fields);
  for (const auto& [field, values] : made.fields) {
    settings_.clear(field);
    for (const int64_t value : values) settings_.add(field, value);
  }
  for (const auto& [field, word] : made.words) settings_.set(field, word);
  int8_ = made.implementation == "int8";
  if (!made.implementation.empty() && !int8_) settings_.set("implementation", made.implementation);
  for (size_t i = 0; i < made.inputs; ++i) {
    randomize(inputs_.emplace_back("", made.element, made.input), 1 + i, int8_ ? 0 : -1, 1);
    input_gradients_.emplace_back("", made.element, made.input);
  }
  infer(*entry);
  create(made);
  point(made.input_gradient);
  prepare();
}

void LayerBench::infer(const TypeEntry& entry) {
  plait_layer_builder b{};
  b.struct_size = sizeof b;
  b.host_data = this;
  b.output = [](const plait_layer_builder* self, const plait_tensor_spec* spec) {
    of(self).outputs_.emplace_back(PartSpec(Spec(spec)));
    randomize(of(self).output_gradients_.emplace_back(PartSpec(Spec(spec))), 2, -1, 1);
    return int{PLAIT_OK};
  };
  b.parameter = [](const plait_layer_builder* self, const plait_parameter_spec* spec) {
    uint64_t count = 1;
    for (int i = 0; i < spec->rank; ++i) count *= static_cast<uint64_t>(spec->shape[i]);
    of(self).stored_.push_back(count);
    return int{PLAIT_OK};
  };
  b.buffer = [](const plait_layer_builder* self, const plait_parameter_spec* spec) {
    of(self).buffers_.emplace_back("", DType::f32,
                                   std::vector<int64_t>(spec->shape, spec->shape + spec->rank));
    return int{PLAIT_OK};
  };
  b.multiply_adds = [](const plait_layer_builder* self, double count) { of(self).multiply_adds_ = count; };
  b.is_epilogue = [](const plait_layer_builder*, const plait_epilogue*) {};
  b.accepts_epilogue = [](const plait_layer_builder*, const char*) {};
  b.in_place = [](const plait_layer_builder*) {};
  b.input_range = [](const plait_layer_builder*, uint32_t, int64_t, int64_t) { return int{PLAIT_OK}; };
  b.mirror = [](const plait_layer_builder*, const plait_block*) { return int{PLAIT_OK}; };
  b.activation = [](const plait_layer_builder*) {};
  const SpecList in(specs(inputs_));
  plait_layer_request r{};
  r.struct_size = sizeof r;
  r.n_inputs = static_cast<uint32_t>(inputs_.size());
  r.config = settings_.c();
  r.inputs = in.data();
  host_.check(static_cast<const plait_layer_rules*>(entry.type->rules)->infer(host_.context(), &r, &b));
}

void LayerBench::create(const LayerCase& made) {
  plait_layer_needs n{};
  n.struct_size = sizeof n;
  n.host_data = this;
  n.saved = [](const plait_layer_needs* self, uint64_t bytes) { of(self).bytes_[0] = bytes; };
  n.workspace = [](const plait_layer_needs* self, uint64_t bytes) { of(self).bytes_[1] = bytes; };
  n.prepared = [](const plait_layer_needs* self, uint64_t bytes) { of(self).bytes_[2] = bytes; };
  n.stored_elements = [](const plait_layer_needs* self, uint32_t i, uint64_t count) {
    of(self).stored_[i] = count;
  };
  n.backward_reads = [](const plait_layer_needs*, uint32_t) {};
  n.accumulates = [](const plait_layer_needs*) {};
  n.repeats = [](const plait_layer_needs*) {};
  n.takes_int8 = [](const plait_layer_needs*, uint32_t) {};
  const SpecList in(specs(inputs_)), out({outputs_[0].spec()});
  const std::vector<uint8_t> needed(inputs_.size(), made.input_gradient);
  const plait_epilogue e{sizeof e, 0, made.absorbed.c_str(), 0, 0, nullptr, nullptr, {}};
  const plait_epilogue* absorbed[] = {&e};
  plait_layer_request r{};
  r.struct_size = sizeof r;
  r.n_inputs = static_cast<uint32_t>(inputs_.size());
  r.config = settings_.c();
  r.inputs = in.data();
  r.input_gradient_needed = needed.data();
  r.n_epilogues = made.absorbed.empty() ? 0 : 1;
  r.epilogues = absorbed;
  r.training = !int8_;
  const plait_range range{sizeof range, 0, 0, 1};
  const plait_range* ranges[] = {&range};
  if (int8_) r.int8_ranges = ranges;
  r.n_outputs = 1;
  r.outputs = out.data();
  host_.check(ops_->create(host_.context(), &r, &n, &self_));
}

void LayerBench::point(bool input_gradient) {
  for (const uint64_t count : stored_) {
    const std::vector<int64_t> shape{static_cast<int64_t>(count)};
    weights_.emplace_back("", DType::f32, shape).randomize(3, -0.1, 0.1);
    weight_gradients_.emplace_back("", DType::f32, shape);
  }
  for (const uint64_t bytes : bytes_) {
    blocks_.emplace_back("", DType::u8, std::vector<int64_t>{static_cast<int64_t>(bytes)});
  }
  x_ = pointers(inputs_), y_ = pointers(outputs_), dy_ = pointers(output_gradients_);
  for (TestTensor& dx : input_gradients_) dx_.push_back(input_gradient ? dx.c() : nullptr);
  for (const TestTensor& t : weights_) w_.push_back(t.f32().data());
  for (const TestTensor& t : weight_gradients_) dw_.push_back(t.f32().data());
  for (TestTensor& t : buffers_) b_.push_back(t.randomize(4, 1, 2).f32().data());
  call_.struct_size = sizeof call_;
  call_.training = !int8_;
  call_.inputs = x_.data();
  call_.outputs = y_.data();
  call_.output_gradients = dy_.data();
  call_.input_gradients = dx_.data();
  call_.parameters = w_.data();
  call_.parameter_gradients = dw_.data();
  call_.buffers = b_.data();
  call_.saved = blocks_[0].view().raw();
  call_.workspace = blocks_[1].view().raw();
  call_.prepared = blocks_[2].view().raw();
  call_.rng = {1, 2};
  if (ops_->prepare) host_.check(ops_->prepare(self_, host_.context(), &call_));
}

}  // namespace plait::bench
