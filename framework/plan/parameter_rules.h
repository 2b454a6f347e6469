// What a job says of single parameters: init { } of layers, and blocks parameters { } by pattern.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "plan/network.h"

namespace plait::inline plan {

// * is any text, ? any one character.
bool matches(std::string_view pattern, std::string_view name);

// The distribution that init { } of the layer gives a parameter, whose name is still its own in the layer.
// Fans are those of PyTorch: [O, I, extents...] has I, and O, times the product of the extents; a vector has
// those that its layer says (a bias).
// Fails with: kInvalid naming the place where there are none.
Status take_init(const LayerSpec& layer, ParameterInfo& info);

// Of several blocks that match, the last that says something of a thing counts.
void take_rules(const std::vector<ParametersSpec>& rules, ParameterInfo& info);

// What is said of a layer some of whose parameters are frozen.
std::string frozen_in_part(const std::vector<ParametersSpec>& rules, const Network& network,
                           const NodeInfo& node);

}  // namespace plait::inline plan
