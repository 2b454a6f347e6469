// The name of this host, for messages.
#pragma once
#include <unistd.h>

#include <string>

namespace plait::inline cluster {

// "localhost" when the system has none.
inline std::string this_host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace plait::inline cluster
