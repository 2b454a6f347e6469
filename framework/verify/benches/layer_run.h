// A layer at work: an instance for a case (LayerBench), and memory with guards for its calls (LayerRun).
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/network.h"
#include "plan/plan.h"
#include "registry/context.h"
#include "verify/benches/device_side.h"
#include "verify/benches/layer_case.h"
#include "verify/engine/guarded.h"

namespace plait::inline verify {

// A function for each name that the layer accepts, as another layer would advertise it. Functions that are
// brought work in host memory: not on a device.
std::vector<Epilogue> accepted_epilogues(const Trial& trial, const LayerCase& made);

struct BenchOptions {
  bool training = true;
  bool measuring = false;  // in place of it
  int lanes = 1;
  ParallelFor parallel_for = nullptr;
  bool parameters_frozen = false;
  std::vector<uint8_t> gradient_needed;  // per input; empty: of all f32 inputs
  std::optional<Epilogue> epilogue;
  std::vector<plait_range> int8_ranges;  // of each input, struct_size 0: of that one none; empty: none
  uint64_t refused_allocation = 0;       // the number of an allocation in create that is refused; 0: none
};

// Threads: create [setup only]; the rest [any].
class LayerBench {
 public:
  // Fails with: what the plugin's create reports.
  static Result<std::unique_ptr<LayerBench>> create(Trial& trial, const LayerCase& made,
                                                    BenchOptions options = {});
  ~LayerBench();
  LayerBench(const LayerBench&) = delete;
  LayerBench& operator=(const LayerBench&) = delete;

  const LayerCase& layer() const { return layer_; }
  const BenchOptions& options() const { return options_; }
  const plait_layer_ops& ops() const { return *ops_; }
  const void* self() const { return self_; }
  Device* device() const { return device_; }  // see Trial::device
  bool packs() const { return PLAIT_HAS(ops_, pack) && PLAIT_HAS(ops_, unpack); }
  uint64_t stored_elements(size_t parameter) const;

  struct Needs {
    uint64_t saved = 0, workspace = 0, prepared = 0;
    std::vector<std::pair<uint32_t, uint64_t>> stored;
    uint32_t reads = PLAIT_READS_INPUTS | PLAIT_READS_OUTPUTS;
    bool accumulates = false;
    std::vector<uint32_t> takes_int8;
  };
  const Needs& needs() const { return needs_; }
  const Kernels& kernels() const { return kernels_; }  // as create told them

 private:
  LayerBench(const LayerCase& made, BenchOptions options) : layer_(made), options_(std::move(options)) {}
  Status create_instance(Trial& trial);

  LayerCase layer_;
  BenchOptions options_;
  const plait_layer_ops* ops_ = nullptr;
  void* self_ = nullptr;
  Device* device_ = nullptr;
  Needs needs_;
  Kernels kernels_;
};

// What goes in: bytes of the inputs, plain parameters, buffers, gradients of the outputs, lengths.
struct LayerValues {
  std::vector<std::vector<uint8_t>> inputs;
  std::vector<std::vector<float>> parameters, buffers;
  std::vector<std::vector<float>> output_gradients;
  // Per input, along its first variable axis and its second; empty: none.
  std::vector<std::vector<int32_t>> lengths, second_lengths;
};
// Of what sizes drawn numbers of floating point are: uniform in [-most, most]; with a `least`, of either sign
// and any size from least to most, as likely small as large.
struct Sizes {
  double most = 1, least = 0;
};
// Output gradients are uniform in [-1, 1]; parameters are their initial values and a little noise, or those
// of `parameters` that learn are of these sizes. Fails with: kInvalid when the layer asks for an
// initialisation that does not exist.
Result<LayerValues> draw_values(Trial& trial, const LayerCase& made, Sizes inputs = {},
                                std::optional<Sizes> parameters = std::nullopt);
// Sample `n` of values drawn for a batch.
LayerValues sample_of(const LayerCase& made, const LayerValues& values, int64_t n);

struct LayerRunOptions {
  Poison poison = Poison::kNan;
  bool training = true;
  bool measuring = false;  // in place of it
  bool in_place = false;
  uint64_t counter = 7;  // of the random numbers
  int64_t step = 3;
  std::vector<uint8_t> skip_input_gradient;  // per input
  bool skip_parameter_gradients = false;
  bool accumulate = false;
  Fence fence = Fence::kNone;
};

// Threads: [one at a time], as many as wanted side by side.
class LayerRun {
 public:
  // Loads the values (packing parameters). On a device of its own every call is given memory of the device:
  // blocks go there before it, and come back after it.
  // Fails with: what pack or the device reports.
  static Result<std::unique_ptr<LayerRun>> create(const LayerBench& bench, const LayerValues& values,
                                                  const LayerRunOptions& options = {});

  Status prepare();
  Status forward();
  Status backward();
  // prepare, forward, and backward when it trains.
  Status all();

  // Refills what the plugin writes with `poison`, and restores the buffers.
  void reset();
  // Other values for the next call. Outputs, gradients, and saved, prepared and working memory go on holding
  // what calls before left there, as the host's do. Lengths stay. Fails with: what pack reports.
  Status take(const LayerValues& values);
  Status set_parameter(size_t index, const std::vector<float>& plain);
  // Gradients of a parameter in plain order.
  Result<std::vector<float>> parameter_gradient(size_t index);

  // "" or the blocks outside of which something was written.
  std::string overruns() const;
  // Names what was written that must not be, after a call: guards, inputs, parameters, output gradients.
  Status check_memory();
  // ok, or "output 0: 3 of 12 elements were never written (the first is 9)".
  Status check_written(bool after_backward);
  // "" or the first block that differs: "output 0", "gradient of input 1", ...
  std::string difference(const LayerRun& other) const;
  // The same of gradients alone.
  std::string gradient_difference(const LayerRun& other) const;
  DeviceSide& side() { return *side_; }

  std::vector<Guarded> inputs, outputs, output_gradients, input_gradients;
  std::vector<Guarded> parameters, parameter_gradients, buffers;
  Guarded saved, workspace, prepared;
  CallContext context;

 private:
  LayerRun(const LayerBench& bench, const LayerValues& values, const LayerRunOptions& options);
  void build_call();
  Status lend_blocks();
  void fill_tensors(std::vector<plait_tensor>& tensors, const std::vector<PartSpec>& specs,
                    std::vector<Guarded>& blocks);
  void set_input_extents(std::vector<plait_tensor>& tensors);
  void set_output_extents(std::vector<plait_tensor>& tensors);
  std::vector<uint8_t> output_gradient_bytes(size_t i) const;
  Status call(const char* what, int (*function)(const void*, plait_context*, const plait_layer_call*));
  std::vector<std::pair<std::string, const Guarded*>> written(bool after_backward) const;
  std::vector<std::pair<std::string, const Guarded*>> gradients() const;

  const LayerBench& bench_;
  std::unique_ptr<DeviceSide> side_;
  LayerRunOptions options_;
  LayerValues values_;
  std::vector<std::vector<float>> stored_;  // parameters as given
  std::vector<plait_tensor> tensors_[4];
  std::deque<std::vector<int32_t>> output_extents_;
  std::vector<const plait_tensor*> pointers_[4];
  std::vector<float*> parameter_pointers_, gradient_pointers_, buffer_pointers_;
  std::vector<uint8_t> accumulate_;
  plait_layer_call call_{};
};

// True when two runs that differ in the random numbers alone give different outputs in training.
Result<bool> is_random(Trial& trial, const LayerBench& bench, const LayerValues& values);

}  // namespace plait::inline verify
