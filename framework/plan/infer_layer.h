// One layer's answers to infer, with everything checked that the host can check.
#pragma once
#include "plan/network.h"

namespace plait::inline plan {

struct InferredLayer {
  std::vector<PartSpec> outputs;
  std::vector<ParameterInfo> parameters;  // names without the layer's
  std::vector<ParameterInfo> buffers;
  std::vector<Epilogue> is_epilogue;
  std::vector<std::string> accepts;
  bool in_place = false;
  std::vector<InputRange> input_ranges;
  std::vector<Block> mirror;  // at most one
  bool is_activation = false;
  double multiply_adds = 0;
};

// Fails with: kInvalid, without the layer's name (the caller adds the place), when the number of inputs is
// not what the layer takes, when it refuses them, or when its answers cannot be (a rank above 8, an extent
// below 0).
Result<InferredLayer> infer_layer(const LayerSpec& layer, const std::vector<PartSpec>& inputs);

}  // namespace plait::inline plan
