#include "registry/numerics.h"

#include <plait/numerics.h>

#include <sstream>

namespace plait::inline registry {

Result<std::vector<std::pair<std::string, std::string>>> numerics_of(const plait_plugin* plugin) {
  std::vector<std::pair<std::string, std::string>> facts;
  if (!PLAIT_HAS(plugin, get_extension)) return facts;
  const auto* numerics = static_cast<const plait_numerics*>(plugin->get_extension(PLAIT_EXTENSION_NUMERICS));
  if (!PLAIT_HAS(numerics, text)) return facts;
  const char* text = numerics->text();
  if (text == nullptr) {
    return Status(Code::kPlugin, std::string(plugin->id) +
                                     " cannot find out what decides the bits of its results (" +
                                     PLAIT_EXTENSION_NUMERICS + ")");
  }
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) {
      facts.emplace_back(line, "");
    } else {
      facts.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
  }
  return facts;
}

}  // namespace plait::inline registry
