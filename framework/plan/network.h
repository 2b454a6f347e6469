// plan/: a job becomes a shaped network (network.h) and then a compiled plan (plan.h): kernels made,
// neighbours fused, memory laid out. No threads and no graph here.
//
// shape_network is pure: it asks plugins for shapes only, creates nothing, and is all that `plait check`
// needs.
#pragma once
#include <plait/abi.h>

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"
#include "registry/block.h"
#include "registry/instance.h"
#include "registry/registry.h"
#include "registry/shape_text.h"

namespace plait::inline plan {

// Whose extents a tensor's samples have along a variable axis: what `tensor`'s have along its variable axis
// number `axis`, as floor((multiply e + add) / divide), from 0 to `bound`; 0 where e is 0.
struct ExtentSource {
  int tensor = -1;  // -1: its own, a part's; or nobody's, and then all are full
  int axis = 0;
  int64_t multiply = 1, add = 0, divide = 1, bound = 0;

  bool is_same() const { return multiply == 1 && add == 0 && divide == 1; }
  int32_t operator()(int32_t extent) const;
};

// A tensor of the network: a part of the samples, or an output of a layer. Shapes include N.
struct TensorInfo {
  std::string name;         // "image", "c1", "split:1"
  PartSpec spec;            // [N, ...]; f32 for layer outputs
  int node = -1;            // node that writes it; -1: a part of the samples
  int part = -1;            // number of the part, when it is one
  ExtentSource extents[2];  // of the variable axes
};

// A parameter, or a buffer (state that training changes without gradients).
struct ParameterInfo {
  std::string name;  // "c1.weight"
  std::string init;
  double init_a = 0, init_b = 0, fan_in = 0, fan_out = 0;
  double gain = 1;             // factor of what init draws
  bool by_fan_out = false;     // he and lecun: the variance is divided by fan_out
  std::vector<int64_t> shape;  // plain order
  uint64_t elements = 0;       // plain
  uint32_t flags = 0;          // PLAIT_PARAMETER_*
  uint32_t reduce = PLAIT_REDUCE_MEAN32;
  double rate_multiplier = 1;
  double l1 = 0, l2 = 0;  // penalties: l1 sum |w| + l2 sum w^2
  bool buffer = false;
  bool frozen = false;
  int node = -1;   // node that owns it (others may share it)
  int index = -1;  // its number among the node's parameters, or buffers
};

struct Epilogue {
  std::string name;
  double alpha = 0, beta = 0;
  std::optional<plait_epilogue> functions = {};  // those that it brings; valid while its library is loaded

  // As the border wants it, valid as long as this.
  plait_epilogue c() const;
};

// Input `input` of a layer holds whole numbers, low <= x < high.
struct InputRange {
  uint32_t input = 0;
  int64_t low = 0, high = 0;
};

struct NodeInfo {
  const LayerSpec* layer = nullptr;  // lives as long as the job
  bool frozen = false;               // by the layer's own word, or by all of its parameters'
  std::vector<int> inputs;           // tensors
  std::vector<int> outputs;
  std::vector<int> parameters;  // numbers in Network::parameters, in the layer's order
  std::vector<int> buffers;
  std::vector<Epilogue> epilogues;  // absorbed from the nodes after it
  std::vector<std::string> accepts;
  std::vector<Epilogue> is_epilogue;  // at most one
  int absorbed_by = -1;               // node whose kernel does this node's work; then it has no step
  bool in_place = false;
  std::vector<InputRange> input_ranges;
  std::vector<Block> mirror;  // at most one: see plait_layer_builder
  bool is_activation = false;
  bool measures = false;     // its buffers: see PLAIT_MEASURING
  double multiply_adds = 0;  // of one forward call of N samples
  // No layer's work: output 0 is input 0 in another element type (convert.h). `layer` is the one that wrote
  // it, or, of a part of the samples, the one that reads it.
  bool converts = false;
};

struct HeadInfo {  // a loss or a metric
  const PluginSpec* plugin = nullptr;
  std::string name;                                    // in reports; of a metric its first value's
  const std::vector<ReportedValue>* values = nullptr;  // of a metric; lives as long as the job
  bool names_later = false;                            // values has the metric's own name: see MetricSpec
  std::vector<int> inputs;                             // tensors; of a metric one
  std::vector<int> targets;                            // of a metric one
  int weights = -1;                                    // of each sample; -1: all are 1
  double weight = 1;

  int input() const { return inputs.front(); }
  int target() const { return targets.front(); }  // of a metric, or a loss that has one
  // Inputs, targets and weights.
  std::vector<int> reads() const;
};

struct Network {
  std::string name;
  int batch = 0;
  std::vector<TensorInfo> tensors;
  std::vector<NodeInfo> nodes;  // inputs before readers; otherwise as in the file
  std::vector<ParameterInfo> parameters;
  std::vector<HeadInfo> losses;
  std::vector<HeadInfo> metrics;
  Precision precision = Precision::kF32;
  // The tensor of this name, in f32 where a layer has written it in bf16 and it is there in both; -1 when
  // there is none.
  int tensor(const std::string& name) const;
  int unconverted(int tensor) const;  // the tensor that it was made of, where it is another's numbers
  std::string step_name(
      int node) const;                  // the layer's, or "c1 as bf16" of a conversion; in traces and tables
  uint64_t parameter_elements() const;  // trained and frozen, without buffers
};

// Those of the tensors of these numbers.
std::vector<PartSpec> specs_of(const Network& network, const std::vector<int>& tensors);

// Shapes of the job's network for samples of these parts (without N) and a batch of `batch`. In precision
// bf16 a tensor is of the type that its layer writes, and a layer, loss or metric that wants another type
// reads a conversion of it: layers of a type that says PLAIT_TYPE_WANTS_BF16 or PLAIT_TYPE_TAKES_BF16 read
// bf16 where their infer takes it; all others, losses, metrics and whoever asks for an output read f32.
// `fuse` lets layers absorb epilogues, `functions` also those that bring functions, which work in host
// memory; a tensor that somebody else reads, or that a head reads, is never absorbed. Fails with: kInvalid
// naming both layers, their shapes, and the place in the file, when something does not fit; when a tensor
// that a layer, loss or metric names is not there; when a shared parameter's shapes differ.
Result<Network> shape_network(const Job& job, const std::vector<PartSpec>& parts, int batch, bool fuse = true,
                              bool functions = true);

// Every block parameters { } of the job is about something. Fails with: kInvalid naming the block's place,
// and the parameters that there are.
Status check_matches(const Job& job, const Network& network);

// Initial values in plain order: Philox keyed by (seed, the parameter's name), the same on every rank.
// "truncated_normal": numbers of the normal distribution that are more than 2 deviations off are drawn again.
// "orthogonal": as a matrix [first extent, the others together], a matrix of normal numbers whose rows (or
// columns, where there are fewer) are made orthonormal one after the other, times the gain.
// Fails with: kInvalid when a plugin asks for an initialisation that does not exist, or for an orthogonal
// vector.
// Source: Glorot, Bengio 2010; He et al. 2015, equation 10; LeCun et al. 1998, section 4.6; Saxe, McClelland,
// Ganguli 2014 (orthogonal).
Status initial_values(const ParameterInfo& parameter, uint64_t seed, float* values);

}  // namespace plait::inline plan
