// The world of ranks that mpirun started.
#pragma once
#include <mpi.h>

#include <memory>
#include <string>
#include <vector>

#include "cluster/transport.h"

namespace plait::inline cluster {

// Every collective begins with a meeting: a tiny nonblocking all-reduce, polled with naps, through which late
// ranks are waited for without using the core, and which finds ranks that came for different things. Then
// everybody is there, and MPI's blocking collective, about three times as fast as its nonblocking one, is
// short.
//
// Stopping: the meeting carries whether a rank abandons, so that all learn of it at the same place and for
// nothing. The word that a rank wants to stop is an empty message to each of the others.
//
// abort(): a rank other than 0 first hands its message to rank 0, which looks for one whenever it waits; so
// one rank prints. If rank 0 is busy for long, the rank prints itself after a while that grows with its
// number.
class MpiTransport final : public Transport {
 public:
  // Starts MPI. Fails with: kPeer when MPI does not start or does not offer MPI_THREAD_FUNNELED.
  static Result<std::unique_ptr<Transport>> create();
  // Leaves together with the others and ends MPI. If MPI takes more than 10 s for it, the process ends by a
  // signal.
  ~MpiTransport() override;

  Status all_reduce(std::span<const Reduction> parts) override;
  Status reduce_blocks(std::span<const BlockReduction> parts) override;
  Status broadcast(std::span<std::byte> bytes, int root) override;
  Result<std::vector<Bytes>> gather(std::span<const std::byte> bytes, int root) override;
  Result<std::vector<Bytes>> all_gather(std::span<const std::byte> bytes) override;
  Result<std::vector<Bytes>> all_to_all(std::span<const Bytes> to) override;
  Status barrier() override;
  void tell_stop() override;
  bool is_told_to_stop() override;
  Status abandon() override;
  [[noreturn]] void abort(const Status& status, int exit_status) override;

 private:
  enum class Kind : uint64_t {
    kAllReduce = 1,
    kReduceBlocks,
    kBroadcast,
    kGather,
    kAllGather,
    kAllToAll,
    kBarrier,
    kLeave,
    kAbandon
  };
  MpiTransport(int rank, int size, MPI_Comm comm, MPI_Comm abort_comm, MPI_Comm stop_comm);

  // What a rank comes for, folded into one number: `detail` is added by the caller (lengths, root).
  Status meet(Kind kind, uint64_t detail);
  Status wait(MPI_Request& request);
  Status deal_out(const BlockReduction& part, size_t first, size_t block);
  Status share_results(const BlockReduction::Column& results, size_t first, size_t block, size_t elements);
  Result<std::vector<Bytes>> gather_from_all(std::span<const std::byte> bytes, int root, bool to_all);
  void serve_abort();
  void hand_to_root(const std::string& message, int exit_status);
  [[noreturn]] void end_job(const std::string& message, int exit_status);

  MPI_Comm comm_;
  MPI_Comm abort_comm_;
  MPI_Comm stop_comm_;
  std::vector<MPI_Request> stop_messages_;
  Bytes blocks_;  // of the other ranks
  bool has_told_ = false;
  bool is_told_ = false;
};

}  // namespace plait::inline cluster
