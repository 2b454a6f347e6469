// JSON as text, whatever bytes its strings hold.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace plait {

// `indent` < 0: on one line. Bytes that are no UTF-8 become U+FFFD: a name of a file or of somebody's plugin
// is no reason to fail.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace plait
