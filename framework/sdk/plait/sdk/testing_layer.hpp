// A layer on the test host: inferred, created and run on its own memory. See testing.hpp.
#pragma once
#include <cmath>

#include "layer.hpp"
#include "testing_block.hpp"
#include "testing_host.hpp"

namespace plait::sdk::testing {

// What a layer is asked to absorb.
inline plait_epilogue epilogue_of(const char* name, double alpha = 0, double beta = 0) {
  return {sizeof(plait_epilogue), 0, name, alpha, beta, nullptr, nullptr, {}};
}

// Parameters are drawn small at random in plain order, buffers begin as ones; both may be changed before
// forward.
class LayerTest {
 public:
  std::deque<TestTensor> inputs, outputs, output_gradients, input_gradients;
  std::deque<TestTensor> parameters, parameter_gradients;  // plain order; see set_parameters
  std::deque<TestTensor> buffers;
  std::vector<std::pair<double, double>> fans;  // in and out, of each parameter
  std::vector<std::string> accepted_epilogues;
  struct InputRange {
    uint32_t input;
    int64_t low, high;
    bool operator==(const InputRange&) const = default;
  };
  std::vector<InputRange> input_ranges;  // that the layer asks for; the test fills whole numbers itself
  std::string epilogue;                  // what the layer says it is
  std::vector<plait_epilogue> epilogue_functions;  // at most one: those that it brings
  std::string mirror;                              // as block_text has it; "": none
  std::vector<plait_extent_rule> extents;
  bool in_place = false, accumulates = false, is_activation = false;
  double multiply_adds = 0;
  uint32_t backward_reads = PLAIT_READS_INPUTS | PLAIT_READS_OUTPUTS;
  uint64_t saved_bytes = 0, workspace_bytes = 0, prepared_bytes = 0;
  std::vector<uint32_t> takes_int8;  // inputs of which it takes a range
  bool training = true;
  bool measuring = false;   // forward measures the buffers
  bool accumulate = false;  // backward adds to input_gradients
  int64_t step = 0;
  plait_rng rng{1, 2};

  LayerTest(TestHost& host, const Entry& entry, Settings settings, std::vector<PartSpec> input_specs,
            std::vector<plait_epilogue> epilogues = {}, bool input_gradients_needed = true,
            bool parameters_frozen = false)
      : frozen_(parameters_frozen),
        host_(host),
        ops_(*static_cast<const plait_layer_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)),
        input_specs_(std::move(input_specs)),
        epilogues_(std::move(epilogues)),
        needed_(input_specs_.size(), input_gradients_needed ? 1 : 0),
        adds_(input_specs_.size(), 1) {
    infer(*static_cast<const plait_layer_rules*>(entry.type.rules));
    create({});
    fill();
  }
  ~LayerTest() {
    if (self_) ops_.destroy(self_);
  }
  LayerTest(const LayerTest&) = delete;
  LayerTest& operator=(const LayerTest&) = delete;

  // Makes the instance anew, for evaluation with these ranges of its inputs. Values stay.
  void quantize(const std::vector<Range>& ranges) {
    ops_.destroy(std::exchange(self_, nullptr));
    takes_int8.clear();
    saved_bytes = workspace_bytes = prepared_bytes = 0;
    training = false;
    create(ranges);
    make_memory();
  }

  TestTensor& input(size_t i = 0) { return inputs.at(i); }
  TestTensor& output(size_t i = 0) { return outputs.at(i); }

  void forward() {
    const Call call(*this, false);
    if (ops_.prepare) host_.check(ops_.prepare(self_, host_.context(), &call.c));
    host_.check(ops_.forward(self_, host_.context(), &call.c));
    check_guards();
  }
  // After forward; reads output_gradients.
  void backward() {
    Call call(*this, true);
    host_.check(ops_.backward(self_, host_.context(), &call.c));
    call.unpack_gradients(*this);
    check_guards();
  }

  // Largest difference between backward and central differences of forward, over up to `probes` elements of
  // each f32 input and parameter, relative to 1 + the largest derivative of that tensor. The function
  // differentiated is a fixed random projection of the outputs. With step h the truncation error is O(h^2)
  // and the rounding error of f32 about 1e-7 / h: some 1e-4 at the default, for functions that are smooth at
  // this scale.
  double gradient_error(size_t probes = 24, double h = 1e-2) {
    for (TestTensor& gradient : output_gradients) gradient.randomize(77);
    forward();
    backward();
    double worst = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].spec().dtype == DType::f32 && needed_[i]) {
        worst = std::max(worst, error_of(inputs[i].f32(), input_gradients[i].f32(), probes, h));
      }
    }
    for (size_t i = 0; i < parameters.size() && !frozen_; ++i) {
      worst = std::max(worst, error_of(parameters[i].f32(), parameter_gradients[i].f32(), probes, h));
    }
    forward();  // outputs of the unchanged values again
    return worst;
  }

 private:
  // The border's view of this object's memory, with parameters in stored order.
  struct Call {
    plait_layer_call c{};
    std::vector<const plait_tensor*> inputs, outputs, output_gradients, input_gradients;
    std::deque<TestTensor> stored, stored_gradients;
    std::vector<float*> parameters, parameter_gradients, buffers;

    Call(LayerTest& test, bool backward)
        : inputs(pointers(test.inputs)),
          outputs(pointers(test.outputs)),
          output_gradients(pointers(test.output_gradients)),
          input_gradients(pointers(test.input_gradients)) {
      test.pack(stored);
      for (const TestTensor& parameter : stored) {
        stored_gradients.emplace_back(parameter.spec());
        parameters.push_back(parameter.f32().data());
        parameter_gradients.push_back(test.frozen_ ? nullptr : stored_gradients.back().f32().data());
      }
      for (const TestTensor& buffer : test.buffers) buffers.push_back(buffer.f32().data());
      for (size_t i = 0; i < test.inputs.size(); ++i) {
        const DType type = test.inputs[i].spec().dtype;
        if ((type != DType::f32 && type != DType::bf16) || !test.needed_[i]) input_gradients[i] = nullptr;
      }
      c.struct_size = sizeof c;
      c.training = test.measuring ? uint32_t{PLAIT_MEASURING} : test.training;
      c.inputs = inputs.data();
      c.outputs = outputs.data();
      c.output_gradients = backward ? output_gradients.data() : nullptr;
      c.input_gradients = backward ? input_gradients.data() : nullptr;
      c.parameters = parameters.data();
      c.parameter_gradients = backward ? parameter_gradients.data() : nullptr;
      c.buffers = buffers.data();
      c.saved = test.saved_[0].view().raw();
      c.workspace = test.saved_[1].view().raw();
      c.prepared = test.saved_[2].view().raw();
      c.accumulate = backward && test.accumulate ? test.adds_.data() : nullptr;
      c.step = test.step;
      c.rng = test.rng;
    }
    void unpack_gradients(LayerTest& test) {
      for (size_t i = 0; i < stored.size() && !test.frozen_; ++i) {
        const Out plain = test.parameter_gradients[i].f32(), own = stored_gradients[i].f32();
        if (test.ops_.unpack) {
          const auto index = static_cast<uint32_t>(i);
          test.host_.check(
              test.ops_.unpack(test.self_, test.host_.context(), index, own.data(), plain.data()));
        } else {
          std::copy(own.begin(), own.end(), plain.begin());
        }
      }
    }
  };

  void pack(std::deque<TestTensor>& stored) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      stored.emplace_back("", DType::f32, std::vector<int64_t>{static_cast<int64_t>(stored_elements_[i])});
      const Out plain = parameters[i].f32(), own = stored.back().f32();
      if (ops_.pack) {
        host_.check(ops_.pack(self_, host_.context(), static_cast<uint32_t>(i), plain.data(), own.data()));
      } else {
        std::copy(plain.begin(), plain.end(), own.begin());
      }
    }
  }

  static LayerTest& from(const plait_layer_builder* builder) {
    return *static_cast<LayerTest*>(builder->host_data);
  }
  static LayerTest& from(const plait_layer_needs* needs) {
    return *static_cast<LayerTest*>(needs->host_data);
  }
  static TestTensor tensor_of(const plait_parameter_spec* spec) {
    return TestTensor(spec->name, DType::f32, {spec->shape, spec->shape + spec->rank});
  }

  void infer(const plait_layer_rules& rules) {
    plait_layer_builder b{};
    b.struct_size = sizeof b;
    b.host_data = this;
    b.output = [](const plait_layer_builder* self, const plait_tensor_spec* spec) {
      from(self).outputs.emplace_back(PartSpec(Spec(spec)));
      return int{PLAIT_OK};
    };
    b.parameter = [](const plait_layer_builder* self, const plait_parameter_spec* spec) {
      from(self).parameters.push_back(tensor_of(spec));
      from(self).fans.emplace_back(spec->fan_in, spec->fan_out);
      return int{PLAIT_OK};
    };
    b.buffer = [](const plait_layer_builder* self, const plait_parameter_spec* spec) {
      from(self).buffers.push_back(tensor_of(spec));
      return int{PLAIT_OK};
    };
    b.multiply_adds = [](const plait_layer_builder* self, double count) { from(self).multiply_adds = count; };
    b.is_epilogue = [](const plait_layer_builder* self, const plait_epilogue* e) {
      from(self).epilogue = e->name;
      from(self).epilogue_functions.assign(PLAIT_HAS(e, backward) ? 1 : 0, *e);
    };
    b.accepts_epilogue = [](const plait_layer_builder* self, const char* name) {
      from(self).accepted_epilogues.push_back(name);
    };
    b.in_place = [](const plait_layer_builder* self) { from(self).in_place = true; };
    b.activation = [](const plait_layer_builder* self) { from(self).is_activation = true; };
    b.extent = [](const plait_layer_builder* self, const plait_extent_rule* rule) {
      from(self).extents.push_back(*rule);
      return int{PLAIT_OK};
    };
    b.input_range = [](const plait_layer_builder* self, uint32_t input, int64_t low, int64_t high) {
      from(self).input_ranges.push_back({input, low, high});
      return int{PLAIT_OK};
    };
    b.mirror = [](const plait_layer_builder* self, const plait_block* block) {
      from(self).mirror = block_text(*block);
      return int{PLAIT_OK};
    };
    const SpecList specs(input_specs_);
    plait_layer_request request{};
    request.struct_size = sizeof request;
    request.n_inputs = specs.size();
    request.config = settings_.c();
    request.inputs = specs.data();
    host_.check(rules.infer(host_.context(), &request, &b));
    for (const TestTensor& parameter : parameters) stored_elements_.push_back(parameter.spec().size());
  }

  void create(const std::vector<Range>& ranges) {
    plait_layer_needs n{};
    n.struct_size = sizeof n;
    n.host_data = this;
    n.saved = [](const plait_layer_needs* self, uint64_t bytes) { from(self).saved_bytes = bytes; };
    n.workspace = [](const plait_layer_needs* self, uint64_t bytes) { from(self).workspace_bytes = bytes; };
    n.prepared = [](const plait_layer_needs* self, uint64_t bytes) { from(self).prepared_bytes = bytes; };
    n.stored_elements = [](const plait_layer_needs* self, uint32_t index, uint64_t elements) {
      from(self).stored_elements_.at(index) = elements;
    };
    n.backward_reads = [](const plait_layer_needs* self, uint32_t reads) {
      from(self).backward_reads = reads;
    };
    n.accumulates = [](const plait_layer_needs* self) { from(self).accumulates = true; };
    n.takes_int8 = [](const plait_layer_needs* self, uint32_t input) {
      from(self).takes_int8.push_back(input);
    };
    std::vector<PartSpec> output_specs;
    for (const TestTensor& output : outputs) output_specs.push_back(output.spec());
    const SpecList input_list(input_specs_), output_list(output_specs);
    std::vector<const plait_epilogue*> absorbed;
    for (const plait_epilogue& e : epilogues_) absorbed.push_back(&e);
    std::deque<plait_range> ends;
    std::vector<const plait_range*> int8;
    for (const Range& range : ranges)
      int8.push_back(&ends.emplace_back(plait_range{sizeof(plait_range), 0, range.low, range.high}));
    plait_layer_request request{};
    request.struct_size = sizeof request;
    request.n_inputs = input_list.size();
    request.config = settings_.c();
    request.inputs = input_list.data();
    request.input_gradient_needed = needed_.data();
    request.n_epilogues = static_cast<uint32_t>(absorbed.size());
    request.training = training ? 1 : 0;
    request.int8_ranges = int8.empty() ? nullptr : int8.data();
    request.epilogues = absorbed.data();
    request.parameters_frozen = frozen_ ? 1 : 0;
    request.n_outputs = output_list.size();
    request.outputs = output_list.data();
    host_.check(ops_.create(host_.context(), &request, &n, &self_));
  }

  void fill() {
    for (const PartSpec& spec : input_specs_) {
      inputs.emplace_back(spec);
      input_gradients.emplace_back(spec);
      if (spec.dtype == DType::f32) inputs.back().randomize(inputs.size());
    }
    for (const TestTensor& output : outputs) output_gradients.emplace_back(output.spec());
    for (TestTensor& parameter : parameters) {
      parameter.randomize(100 + parameter_gradients.size(), -0.5, 0.5);
      parameter_gradients.emplace_back(parameter.spec());
    }
    for (TestTensor& buffer : buffers) std::fill(buffer.f32().begin(), buffer.f32().end(), 1.0f);
    make_memory();
  }

  void make_memory() {
    saved_.clear();
    for (const uint64_t bytes : {saved_bytes, workspace_bytes, prepared_bytes}) {
      saved_.emplace_back("", DType::u8, std::vector<int64_t>{static_cast<int64_t>(bytes)});
    }
  }

  void check_guards() const {
    for (const auto* list : {&outputs, &input_gradients, &parameter_gradients, &buffers, &saved_}) {
      for (const TestTensor& tensor : *list) {
        if (!tensor.intact()) throw std::runtime_error("wrote past the end of " + text(tensor.view()));
      }
    }
  }

  double projection() {
    forward();
    double sum = 0;
    const Out y = output().f32(), r = output_gradients[0].f32();
    for (size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(y[i]) * r[i];
    for (size_t k = 1; k < outputs.size(); ++k) {
      const Out more = outputs[k].f32(), q = output_gradients[k].f32();
      for (size_t i = 0; i < more.size(); ++i) sum += static_cast<double>(more[i]) * q[i];
    }
    return sum;
  }
  double error_of(Out values, Out gradients, size_t probes, double h) {
    double worst = 0, scale = 0;
    const std::vector<float> analytic(gradients.begin(), gradients.end());
    for (const float g : analytic) scale = std::max(scale, std::abs(static_cast<double>(g)));
    const size_t stride = std::max<size_t>(1, values.size() / probes);
    for (size_t i = 0; i < values.size(); i += stride) {
      const float middle = values[i];
      values[i] = static_cast<float>(middle + h);
      const double above = projection();
      values[i] = static_cast<float>(middle - h);
      const double below = projection();
      values[i] = middle;
      const double difference = std::abs(analytic[i] - (above - below) / (2 * h));
      if (!std::isfinite(difference)) return HUGE_VAL;
      worst = std::max(worst, difference);
    }
    return worst / (1 + scale);
  }

  bool frozen_;
  TestHost& host_;
  const plait_layer_ops& ops_;
  Settings settings_;
  std::vector<PartSpec> input_specs_;
  std::vector<plait_epilogue> epilogues_;
  std::vector<uint8_t> needed_, adds_;
  std::vector<uint64_t> stored_elements_;
  std::deque<TestTensor> saved_;  // saved, workspace, prepared
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
