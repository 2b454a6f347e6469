// One layer on memory of its own, for timing: infer, create, run. Nothing is packed or allocated in a call.
#pragma once
#include <plait/sdk/testing_host.hpp>

#include <memory>

#include "registry/registry.h"

namespace plait::bench {

struct LayerCase {
  std::string type;  // "plait.convolution"
  std::vector<std::pair<std::string, std::vector<int64_t>>> fields;
  std::vector<int64_t> input;
  std::string absorbed;  // name of an epilogue, or ""
  bool input_gradient = true;
  // Of layers that have this field; "": its default. "int8": in evaluation, its input in a range from 0 to 1.
  std::string implementation = "";
  std::vector<std::pair<std::string, std::string>> words = {};  // fields that hold one
  size_t inputs = 1;                                            // as many, all of that shape
  sdk::DType element = sdk::DType::f32;                         // of the inputs: f32 or bf16
};

class LayerBench {
 public:
  // Throws std::runtime_error with the plugin's text.
  LayerBench(const Registry& registry, const LayerCase& made);
  ~LayerBench() { ops_->destroy(self_); }
  LayerBench(const LayerBench&) = delete;
  LayerBench& operator=(const LayerBench&) = delete;

  void prepare() {
    if (ops_->prepare) host_.check(ops_->prepare(self_, host_.context(), &call_));
  }
  void forward() { host_.check(ops_->forward(self_, host_.context(), &call_)); }
  void backward() { host_.check(ops_->backward(self_, host_.context(), &call_)); }
  std::vector<int64_t> output_shape() const { return outputs_[0].spec().shape; }
  double multiply_adds() const { return multiply_adds_; }
  bool trains() const { return !int8_; }
  bool has_weights() const { return !weights_.empty(); }

 private:
  using Tensors = std::deque<sdk::testing::TestTensor>;
  void infer(const TypeEntry& entry);
  void create(const LayerCase& made);
  void point(bool input_gradient);
  static LayerBench& of(const plait_layer_builder* b) { return *static_cast<LayerBench*>(b->host_data); }
  static LayerBench& of(const plait_layer_needs* n) { return *static_cast<LayerBench*>(n->host_data); }

  sdk::testing::TestHost host_;
  sdk::testing::Settings settings_;
  const plait_layer_ops* ops_ = nullptr;
  void* self_ = nullptr;
  Tensors inputs_, input_gradients_, outputs_, output_gradients_, weights_, weight_gradients_, buffers_;
  std::vector<uint64_t> stored_;
  uint64_t bytes_[3] = {0, 0, 0};  // saved, workspace, prepared
  Tensors blocks_;
  double multiply_adds_ = 0;
  bool int8_ = false;
  std::vector<const plait_tensor*> x_, y_, dx_, dy_;
  std::vector<float*> w_, dw_, b_;
  plait_layer_call call_{};
};

}  // namespace plait::bench
