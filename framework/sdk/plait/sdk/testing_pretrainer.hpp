// A pretrainer at work without a host: a network that the test describes, and the stage that comes of it, a
// line for each call of the builder.
//
//   TestNetwork network;
//   network.add("f1", "acme.plane", {"image"}, input, output).parameters(2);
//   TestStage stage;
//   stage.ask(host, made, network, 0);
//   stage.text == "stage encode\n" "copy f1\n" "layer decoder < f1: acme.plane{units: 12}\n" ...
#pragma once
#include <plait/pretrain_task.h>

#include <deque>
#include <string>
#include <vector>

#include "block.hpp"
#include "testing_block.hpp"
#include "testing_host.hpp"

namespace plait::sdk::testing {

class TestNetwork {
 public:
  class LayerOf {
   public:
    LayerOf& parameters(uint32_t count) { return raw_.n_parameters = count, *this; }
    LayerOf& buffers(uint32_t count) { return raw_.n_buffers = count, *this; }
    LayerOf& frozen() { return raw_.flags |= PLAIT_NETWORK_FROZEN, *this; }
    LayerOf& shares() { return raw_.flags |= PLAIT_NETWORK_SHARES, *this; }
    LayerOf& activation() { return raw_.flags |= PLAIT_NETWORK_ACTIVATION, *this; }
    LayerOf& mirror(Block block) { return mirror_.assign(1, std::move(block)), *this; }

   private:
    friend class TestNetwork;
    std::string name_, type_;
    std::vector<std::string> inputs_;
    std::vector<const char*> input_names_;
    PartSpec input_, output_;
    plait_tensor_spec raw_input_{}, raw_output_{};
    std::vector<Block> mirror_;
    plait_network_layer raw_{};
  };

  // Shapes with N, as the network has them.
  LayerOf& add(std::string name, std::string type, std::vector<std::string> inputs, PartSpec input,
               PartSpec output) {
    LayerOf& layer = layers_.emplace_back();
    layer.name_ = std::move(name), layer.type_ = std::move(type), layer.inputs_ = std::move(inputs);
    layer.input_ = std::move(input), layer.output_ = std::move(output);
    return layer;
  }
  LayerOf& operator[](size_t i) { return layers_.at(i); }

  // use(const plait_pretrain_request&)
  template <class Use>
  void with(uint32_t stage, Use use) {
    fill(0, stage, use);
  }

 private:
  // Layer by layer, since a mirror lives as long as the call that it is given to.
  template <class Use>
  void fill(size_t i, uint32_t stage, Use use) {
    if (i == layers_.size()) return use_all(stage, use);
    LayerOf& layer = layers_[i];
    layer.input_names_.clear();
    for (const std::string& input : layer.inputs_) layer.input_names_.push_back(input.c_str());
    layer.raw_input_ = layer.input_.c(), layer.raw_output_ = layer.output_.c();
    plait_network_layer& raw = layer.raw_;
    raw.struct_size = sizeof raw;
    raw.name = layer.name_.c_str(), raw.type_id = layer.type_.c_str();
    raw.input = &layer.raw_input_, raw.output = &layer.raw_output_;
    raw.n_inputs = static_cast<uint32_t>(layer.input_names_.size());
    raw.inputs = layer.input_names_.data();
    raw.mirror = nullptr;
    if (layer.mirror_.empty()) return fill(i + 1, stage, use);
    layer.mirror_.front().with([&](const plait_block& block) {
      raw.mirror = &block;
      fill(i + 1, stage, use);
      return 0;
    });
  }
  template <class Use>
  void use_all(uint32_t stage, Use use) {
    std::vector<const plait_network_layer*> pointers;
    for (const LayerOf& layer : layers_) pointers.push_back(&layer.raw_);
    plait_pretrain_request request{};
    request.struct_size = sizeof request;
    request.n_layers = static_cast<uint32_t>(pointers.size());
    request.layers = pointers.data();
    request.stage = stage;
    request.steps_per_epoch = 100;
    use(static_cast<const plait_pretrain_request&>(request));
  }

  std::deque<LayerOf> layers_;
};

struct TestStage {
  std::string text;  // "" where the pretrainer is complete

  // The stage of this number. Fails as the pretrainer does.
  void ask(TestHost& host, const plait_pretrainer_ops& ops, const void* self, TestNetwork& network,
           uint32_t number) {
    text.clear();
    plait_stage_builder b{};
    b.struct_size = sizeof b;
    b.host_data = this;
    b.begin = [](const plait_stage_builder* s, const char* title) {
      return add(s, std::string("stage ") + title);
    };
    b.copy = [](const plait_stage_builder* s, const plait_layer_copy* copy) {
      std::string line = std::string("copy ") + copy->layer;
      if (copy->name != nullptr) line += std::string(" as ") + copy->name;
      if (copy->inputs != nullptr) line += inputs(copy->n_inputs, copy->inputs);
      return add(s, line + (copy->flags & PLAIT_COPY_FROZEN ? " frozen" : ""));
    };
    b.layer = [](const plait_stage_builder* s, const char* name, uint32_t n, const char* const* from,
                 const plait_block* block) {
      return add(s, std::string("layer ") + name + inputs(n, from) + ": " + block_text(*block));
    };
    b.corrupt = [](const plait_stage_builder* s, const char* name, const char* input, const char* noise,
                   double amount) {
      return add(s, text_of("corrupt ", name, " < ", input, ": ", noise, " ", amount));
    };
    b.loss = [](const plait_stage_builder* s, const char* input, const char* target, double weight,
                const plait_block* block) {
      return add(s, text_of("loss ", input, " to ", target, ": ", block_text(*block), " weight ", weight));
    };
    b.optimizer = [](const plait_stage_builder* s, const plait_block* block) {
      return add(s, "optimizer " + block_text(*block));
    };
    b.epochs = [](const plait_stage_builder* s, double epochs) { return add(s, text_of("epochs ", epochs)); };
    b.steps = [](const plait_stage_builder* s, int64_t steps) { return add(s, text_of("steps ", steps)); };
    static const plait_pretrain_task tasks = task_functions();
    host.extensions[PLAIT_EXTENSION_PRETRAIN_TASK] = &tasks;
    network.with(number, [&](const plait_pretrain_request& request) {
      host.check(ops.next_stage(self, host.context(), &request, &b));
    });
  }

 private:
  static plait_pretrain_task task_functions() {
    plait_pretrain_task t{};
    t.struct_size = sizeof t;
    t.prepare = [](const plait_stage_builder* s, const plait_block* block) {
      return add(s, "prepare " + block_text(*block));
    };
    t.task = [](const plait_stage_builder* s, const char* input, const plait_block* block) {
      return add(s, text_of("task < ", input, ": ", block_text(*block)));
    };
    t.take = [](const plait_stage_builder* s, const char* layer, const char* parameter, const char* array) {
      return add(s, text_of("take ", layer, ".", parameter, " = ", array));
    };
    return t;
  }
  static int add(const plait_stage_builder* builder, const std::string& line) {
    static_cast<TestStage*>(builder->host_data)->text += line + "\n";
    return PLAIT_OK;
  }
  static std::string inputs(uint32_t n, const char* const* names) {
    std::string line;
    for (uint32_t i = 0; i < n; ++i) line += std::string(i == 0 ? " < " : ", ") + names[i];
    return line;
  }
  template <class... Part>
  static std::string text_of(const Part&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
  }
};

}  // namespace plait::sdk::testing
