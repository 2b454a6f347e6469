// Ranks as threads of one process: rounds are tested in milliseconds, and a run without mpirun needs no MPI.
#pragma once
#include <memory>
#include <vector>

#include "cluster/transport.h"

namespace plait::inline cluster {

class LocalTransport : public Transport {
 public:
  // This rank dies, as if killed: peers waiting for it now or later get kPeer. Destroying the transport does
  // the same, so a thread that returns early leaves nobody waiting. Threads: [any]
  virtual void drop() = 0;

 protected:
  using Transport::Transport;
};

// The world of one rank. abort() prints the message to standard error and returns.
std::unique_ptr<Transport> single();

// A world of `size` ranks for as many threads. abort() prints nothing: peers get kPeer with its message.
std::vector<std::unique_ptr<LocalTransport>> make_local_world(int size);

}  // namespace plait::inline cluster
