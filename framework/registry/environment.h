// The variables that a process was started with.
#pragma once
#include <cstdlib>
#include <string>

namespace plait::inline registry {

// "" where it is not set.
inline std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? value : "";
}

}  // namespace plait::inline registry
