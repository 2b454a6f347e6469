// The world this process was started in, found from its environment.
#pragma once
#include <memory>
#include <string>

#include "cluster/transport.h"

namespace plait::inline cluster {

// Started by Open MPI's mpirun (5 or newer) or another PMIx launcher: loads the module at `module_path`, the
// only file linked to MPI, and joins the world. Started alone: single(), and the module is not even opened.
// Fails with: kPeer when the mpirun of another MPI started us, naming the mpirun to use; what Library::open
// says when the module cannot be loaded; kPeer when MPI does not start. Threads: [setup only], from the
// thread that will use the transport.
Result<std::unique_ptr<Transport>> open_transport(const std::string& module_path);

// This process's rank as its launcher counts, whatever MPI that is; 0 alone. For the moments without a
// transport (a usage error, open_transport failed): only rank 0 prints.
int launcher_rank();
// How many there are; 1 alone.
int launcher_size();

}  // namespace plait::inline cluster
