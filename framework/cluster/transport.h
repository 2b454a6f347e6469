// What rounds need from the world of ranks. The same rounds run over MPI (cluster/mpi), in threads of one
// process (local_transport.h) or alone. Collectives meet in the same order on all ranks; only integer sums
// and exact maxima are offered, because the order of a floating-point sum would leak into the weights.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"

namespace plait::inline cluster {

// One array to combine over all ranks, in place: every rank ends with the same content.
// Shapes: the same length and kind on all ranks.
class Reduction {
 public:
  enum class Op { kSum, kMax };
  using Values = std::variant<std::span<int32_t>, std::span<int64_t>, std::span<double>, std::span<uint8_t>>;

  static Reduction sum(std::span<int32_t> values) { return {Op::kSum, values}; }
  static Reduction sum(std::span<int64_t> values) { return {Op::kSum, values}; }
  static Reduction max(std::span<int32_t> values) { return {Op::kMax, values}; }
  static Reduction max(std::span<int64_t> values) { return {Op::kMax, values}; }
  static Reduction max(std::span<double> values) { return {Op::kMax, values}; }
  static Reduction max(std::span<uint8_t> values) { return {Op::kMax, values}; }

  Op op() const { return op_; }
  const Values& values() const { return values_; }

 private:
  Reduction(Op op, Values values) : op_(op), values_(values) {}
  Op op_;
  Values values_;
};

// Arrays whose elements are combined by an operation of the caller, which must not depend on the order of the
// ranks. The elements are dealt out in blocks: what the ranks have of a block travels to one of them, which
// combines it, and the result travels to all. So an element crosses the network once in each direction, as
// wide as it is there. Shapes: elements and widths are the same on all ranks.
struct BlockReduction {
  // Dealt out at once, over all ranks; a rank holds as many of the others' meanwhile.
  static constexpr size_t kTurnElements = size_t{1} << 20;
  struct Column {
    std::byte* values = nullptr;
    size_t width = 0;  // of an element. Units: bytes
  };
  size_t elements = 0;
  // Of this rank, [elements] each. Afterwards the first holds the results, and the others anything.
  std::vector<Column> columns;
  // Combines another rank's block with elements [first, first + count) of this rank's columns.
  // Shapes: other: a pointer for each column, to [count]; aligned to 16 bytes
  std::function<void(size_t first, size_t count, std::span<const std::byte* const> other)> add;
  // Makes the results in the first column, when all others have been added.
  std::function<void(size_t first, size_t count)> finish;
};

// Which try of which round a message belongs to. It travels with gathered messages, so that a late message of
// an abandoned attempt is never taken for one of the present attempt.
struct Attempt {
  uint32_t round = 0;
  uint32_t attempt = 0;
  bool operator==(const Attempt&) const = default;
};

using Bytes = std::vector<std::byte>;

// Threads: [one at a time], and always the thread that made the transport (MPI_THREAD_FUNNELED).
// Fails with: kPeer when a rank is gone, or calls another collective or another length than this one. After a
// failed collective the world is lost: the only useful call left is abort(). kStopped when a rank abandons,
// on all ranks alike, before anything is transferred; the world then goes on. A wait first spins, then sleeps
// in short naps: a collective that waits for a slow rank leaves the core to others.
class Transport {
 public:
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  const std::string& host_name() const { return host_name_; }
  // "rank 2 on node7"
  std::string place() const { return "rank " + std::to_string(rank_) + " on " + host_name_; }

  // The attempt that later messages of this rank belong to.
  void set_attempt(Attempt attempt) { attempt_ = attempt; }
  Attempt attempt() const { return attempt_; }

  // The ranks meet once for all parts, which is cheaper than a call for each. Over MPI the parts then travel
  // one after the other, by blocking calls: those take a third of the time of non-blocking ones.
  virtual Status all_reduce(std::span<const Reduction> parts) = 0;
  Status all_reduce_sum(std::span<int32_t> values) { return all_reduce_one(Reduction::sum(values)); }
  Status all_reduce_sum(std::span<int64_t> values) { return all_reduce_one(Reduction::sum(values)); }
  Status all_reduce_max(std::span<int32_t> values) { return all_reduce_one(Reduction::max(values)); }
  Status all_reduce_max(std::span<int64_t> values) { return all_reduce_one(Reduction::max(values)); }
  Status all_reduce_max(std::span<double> values) { return all_reduce_one(Reduction::max(values)); }

  // The ranks meet once for all parts, as in all_reduce. The callbacks are called before it returns, perhaps
  // by another rank's thread.
  virtual Status reduce_blocks(std::span<const BlockReduction> parts) = 0;

  // Every rank ends with the bytes of `root`.
  virtual Status broadcast(std::span<std::byte> bytes, int root) = 0;

  // The message of every rank, in order of rank; lengths may differ. gather: empty except at `root`.
  virtual Result<std::vector<Bytes>> gather(std::span<const std::byte> bytes, int root) = 0;
  virtual Result<std::vector<Bytes>> all_gather(std::span<const std::byte> bytes) = 0;

  // A message for each rank, in order of rank, its own among them; what the others had for this one,
  // likewise. All messages of a rank together: less than 2 GiB.
  virtual Result<std::vector<Bytes>> all_to_all(std::span<const Bytes> to) = 0;

  virtual Status barrier() = 0;

  // ---- stopping: a rank that wants to stop tells the others, who may be in long work or in a collective
  // that waits for it. Whoever learns of it leaves its work and abandons; the world meets there.

  // Asked in every long wait: does this rank want to stop? Threads: [one at a time], the transport's thread
  void set_stop(std::function<bool()> wants_stop) { wants_stop_ = std::move(wants_stop); }
  bool wants_stop() const { return wants_stop_ && wants_stop_(); }
  // Tells all other ranks, once. Does not wait.
  virtual void tell_stop() = 0;
  // True once another rank has told. Does not wait.
  virtual bool is_told_to_stop() = 0;
  // Meets the others in whatever collective they are in or come to next: kStopped on every rank.
  virtual Status abandon() = 0;
  // Collectives of this world that have failed with kStopped. What else has that code is no stop of the
  // ranks.
  int64_t stops() const { return stops_; }
  bool has_stopped() const { return stops_ > 0; }

  // Ends the whole job promptly and without a hang, from any rank, whatever the others do: one rank prints
  // one message to standard error ("plait: rank 2 on node7: ..."), the others are silent, and the job's exit
  // status is `exit_status`. Over MPI it does not return; alone and in local threads it does (peers then get
  // kPeer), and the caller leaves with `exit_status` itself.
  virtual void abort(const Status& status, int exit_status = 1) = 0;

 protected:
  Transport(int rank, int size, std::string host_name)
      : rank_(rank), size_(size), host_name_(std::move(host_name)) {}

  // Goes with what a meeting of the ranks gave.
  Status noted(Status met) {
    if (met.code() == Code::kStopped) ++stops_;
    return met;
  }

 private:
  Status all_reduce_one(Reduction part) { return all_reduce({&part, 1}); }

  int rank_;
  int size_;
  std::string host_name_;
  Attempt attempt_;
  std::function<bool()> wants_stop_;
  int64_t stops_ = 0;
};

// Every rank must hold the same `digest` (of the program, the plugins, the resolved job, the plan...).
// Fails with: kPeer on every rank alike, naming `what`, the first rank that differs, its host and both
// digests.
Status agree_same(Transport& transport, const std::string& what, const std::string& digest);

}  // namespace plait::inline cluster
