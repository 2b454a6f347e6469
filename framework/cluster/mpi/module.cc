// The two symbols of plait_mpi.so.
#include "cluster/mpi_module.h"

#include <fstream>

#include "cluster/mpi/mpi_transport.h"

#define PLAIT_VISIBLE __attribute__((visibility("default")))

extern "C" {

PLAIT_VISIBLE plait::Status plait_open_mpi_world(std::unique_ptr<plait::Transport>* transport) {
  PLAIT_ASSIGN(*transport, plait::MpiTransport::create());
  return {};
}

// The loader's own list of this process's files says which libmpi it took.
PLAIT_VISIBLE std::string plait_mpi_library_path() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t path = line.find('/');
    if (path != std::string::npos && line.find("/libmpi.so", path) != std::string::npos)
      return line.substr(path);
  }
  return {};
}

}  // extern "C"
