// One layer's answers to infer, with everything checked that the host can check.
#pragma once
#include "plan/network.h"

namespace plait::inline plan {

// How far samples reach along variable axis number `axis`, 0 or 1, of an output: as the layer says it, see
// plait_extent_rule, or as the host takes it.
struct InferredExtent {
  size_t output = 0;
  int axis = 0;
  ExtentSource source;  // `tensor` is the input's number
};

struct InferredLayer {
  std::vector<PartSpec> outputs;
  std::vector<ParameterInfo> parameters;  // names without the layer's
  std::vector<ParameterInfo> buffers;
  std::vector<Epilogue> is_epilogue;
  std::vector<std::string> accepts;
  bool in_place = false;
  std::vector<InputRange> input_ranges;
  std::vector<Block> mirror;            // at most one
  std::vector<InferredExtent> extents;  // of every axis for which there is one
  bool is_activation = false;
  bool measures = false;  // its buffers
  double multiply_adds = 0;
};

// Fails with: kInvalid, without the layer's name (the caller adds the place), when the number of inputs is
// not what the layer takes, when it refuses them, or when its answers cannot be (a rank above 8, an extent
// below 0), or when an input varies along two axes and the type does not take that.
Result<InferredLayer> infer_layer(const LayerSpec& layer, const std::vector<PartSpec>& inputs);

}  // namespace plait::inline plan
