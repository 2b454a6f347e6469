// Which numbers a parameter or buffer may have, whoever gives them: a file, a stage, a layer's init.
#pragma once
#include <span>
#include <string>

#include "plan/network.h"

namespace plait::inline plan {

// "value 3 of 4 is below 0, wanted finite numbers of at least 0, for a variance"; "": they may be.
std::string unwanted_value(const ParameterInfo& parameter, std::span<const float> values);

}  // namespace plait::inline plan
