// The figures of two runs' summaries, side by side: compared whole, shown short.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace plait::inline cli {

// A line a figure, with a * where the two differ. Of stages, by name: the digest of the output, and what
// else differs. What a run was made with ("identity", "changes") is left out.
std::string figures_text(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b);

}  // namespace plait::inline cli
