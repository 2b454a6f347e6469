// What plait_mpi.so exports to open_transport. Both are built together, so C++ types may cross.
#pragma once
#include <memory>
#include <string>

#include "cluster/transport.h"

namespace plait::inline cluster {

// Starts MPI and joins the world, or says why not. To be called once in a process.
using OpenMpiWorld = Status(std::unique_ptr<Transport>* transport);
inline constexpr char kOpenMpiWorld[] = "plait_open_mpi_world";

// The file of the MPI library that the module is linked to; empty when it cannot be told. Starts nothing.
using MpiLibraryPath = std::string();
inline constexpr char kMpiLibraryPath[] = "plait_mpi_library_path";

}  // namespace plait::inline cluster
