#include "cluster/mpi/mpi_transport.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/shown.h"
#include "cluster/host_name.h"
#include "cluster/mpi/nap.h"

namespace plait::inline cluster {
namespace {

constexpr unsigned kExitLimit_s = 10;
constexpr int kAbortTag = 1;
constexpr int kStopTag = 2;
constexpr int kBlockTag = 3, kMessageTag = 4;
// One call of MPI counts elements in an int.
constexpr size_t kLargestCall = size_t{1} << 28;
// The least that is dealt out to a rank. Turns are large: where other work shares the cores, ranks that wait
// for each other may lose a scheduler's slice (10 ms) each time. Units: elements
constexpr size_t kLeastBlock = 1024, kBlockStep = 64;

Status check(int code, const char* what) {
  if (code == MPI_SUCCESS) return {};
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return {Code::kPeer, std::string("MPI: ") + what + " failed: " + text};
}

// An alarm whose handler is the default ends the process by a signal, which the other ranks and mpirun see as
// a death. _exit would not be seen by ranks that share memory with this one.
void end_by_signal_after(unsigned seconds) {
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(seconds);
}

// Folds a number into a fingerprint (the mixing step of splitmix64).
uint64_t fold(uint64_t fingerprint, uint64_t value) {
  uint64_t z = fingerprint + value + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

MPI_Datatype type_of(int32_t) { return MPI_INT32_T; }
MPI_Datatype type_of(int64_t) { return MPI_INT64_T; }
MPI_Datatype type_of(double) { return MPI_DOUBLE; }
MPI_Datatype type_of(uint8_t) { return MPI_UINT8_T; }

Status all_reduce_part(const Reduction& part, MPI_Comm comm) {
  const MPI_Op op = part.op() == Reduction::Op::kSum ? MPI_SUM : MPI_MAX;
  const auto reduce = [&](auto values) -> Status {
    const MPI_Datatype type = type_of(typename decltype(values)::value_type{});
    for (size_t done = 0; done < values.size(); done += kLargestCall) {
      const int count = static_cast<int>(std::min(kLargestCall, values.size() - done));
      PLAIT_TRY(
          check(MPI_Allreduce(MPI_IN_PLACE, values.data() + done, count, type, op, comm), "all-reduce"));
    }
    return {};
  };
  return std::visit(reduce, part.values());
}

uint64_t fingerprint_of(std::span<const Reduction> parts) {
  uint64_t fingerprint = parts.size();
  for (const Reduction& part : parts) {
    const size_t length = std::visit([](auto values) { return values.size(); }, part.values());
    fingerprint =
        fold(fold(fingerprint, length), part.values().index() * 2 + (part.op() == Reduction::Op::kMax));
  }
  return fingerprint;
}

Result<MPI_Comm> duplicate_world() {
  MPI_Comm comm = MPI_COMM_NULL;
  PLAIT_TRY(check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "making a communicator"));
  PLAIT_TRY(check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "setting the error handler"));
  return comm;
}

}  // namespace

Result<std::unique_ptr<Transport>> MpiTransport::create() {
  // MPI's blocking calls give the core away between polls. On idle cores this costs nothing; where other work
  // shares them, a reduce of 247 kB on two ranks took 0.4 ms instead of up to 12 ms. What the user has set
  // stays.
  ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  // Open MPI's module of one-sided messages over fabrics sleeps for a second where it finds no fabric;
  // nothing here is one-sided. Other messages have modules of their own.
  ::setenv("OMPI_MCA_btl", "^ofi", 0);
  int provided = 0;
  PLAIT_TRY(check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "start"));
  PLAIT_TRY(check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "setting the error handler"));
  if (provided < MPI_THREAD_FUNNELED)
    return Status(Code::kPeer, "MPI: was built without support for threads");
  int rank = 0, size = 1;
  PLAIT_TRY(check(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "asking for the rank"));
  PLAIT_TRY(check(MPI_Comm_size(MPI_COMM_WORLD, &size), "asking for the size"));
  PLAIT_ASSIGN(const MPI_Comm comm, duplicate_world());
  PLAIT_ASSIGN(const MPI_Comm abort_comm, duplicate_world());
  PLAIT_ASSIGN(const MPI_Comm stop_comm, duplicate_world());
  return std::unique_ptr<Transport>(new MpiTransport(rank, size, comm, abort_comm, stop_comm));
}

MpiTransport::MpiTransport(int rank, int size, MPI_Comm comm, MPI_Comm abort_comm, MPI_Comm stop_comm)
    : Transport(rank, size, this_host_name()), comm_(comm), abort_comm_(abort_comm), stop_comm_(stop_comm) {}

MpiTransport::~MpiTransport() {
  const Status together = meet(Kind::kLeave, 0);
  end_by_signal_after(kExitLimit_s);
  if (together) {
    is_told_to_stop();  // takes what has not been looked at
    MPI_Comm_free(&stop_comm_);
    MPI_Comm_free(&abort_comm_);
    MPI_Comm_free(&comm_);
  }
  MPI_Finalize();
  ::alarm(0);
}

Status MpiTransport::meet(Kind kind, uint64_t detail) {
  uint64_t fingerprint = fold(static_cast<uint64_t>(kind), detail);
  fingerprint = fold(fold(fingerprint, attempt().round), attempt().attempt);
  const int64_t mine = static_cast<int64_t>(fingerprint >> 2);
  int64_t extremes[3] = {mine, -mine, kind == Kind::kAbandon};  // the largest, minus the smallest; any
  MPI_Request request = MPI_REQUEST_NULL;
  PLAIT_TRY(
      check(MPI_Iallreduce(MPI_IN_PLACE, extremes, 3, MPI_INT64_T, MPI_MAX, comm_, &request), "meeting"));
  PLAIT_TRY(wait(request));
  if (extremes[2] != 0) return noted({Code::kStopped, "a rank was asked to stop"});
  if (extremes[0] == -extremes[1]) return {};
  return {Code::kPeer, "the ranks are in different collectives, lengths or attempts"};
}

Status MpiTransport::wait(MPI_Request& request) {
  for (Nap nap;; nap.rest()) {
    int done = 0;
    PLAIT_TRY(check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "waiting for the other ranks"));
    if (done != 0) return {};
    if (!nap.is_sleeping()) continue;
    serve_abort();
    if (!has_told_ && wants_stop()) tell_stop();
  }
}

Status MpiTransport::all_reduce(std::span<const Reduction> parts) {
  PLAIT_TRY(meet(Kind::kAllReduce, fingerprint_of(parts)));
  for (const Reduction& part : parts) PLAIT_TRY(all_reduce_part(part, comm_));
  return {};
}

Status MpiTransport::reduce_blocks(std::span<const BlockReduction> parts) {
  uint64_t fingerprint = parts.size();
  for (const BlockReduction& part : parts) {
    fingerprint = fold(fingerprint, part.elements);
    for (const BlockReduction::Column& column : part.columns) fingerprint = fold(fingerprint, column.width);
  }
  PLAIT_TRY(meet(Kind::kReduceBlocks, fingerprint));
  const auto ranks = static_cast<size_t>(size());
  for (const BlockReduction& part : parts) {
    for (size_t first = 0; first < part.elements;) {
      const size_t left = part.elements - first;
      const size_t dealt =
          std::min((left + ranks - 1) / ranks, std::max(BlockReduction::kTurnElements / ranks, kLeastBlock));
      const size_t block = (dealt + kBlockStep - 1) / kBlockStep * kBlockStep;
      PLAIT_TRY(deal_out(part, first, block));
      first += std::min(left, block * ranks);
    }
  }
  return {};
}

// Elements [first, first + ranks * block) or fewer; every rank combines a block.
Status MpiTransport::deal_out(const BlockReduction& part, size_t first, size_t block) {
  const size_t ranks = static_cast<size_t>(size()), me = static_cast<size_t>(rank());
  const auto begin_of = [&](size_t r) { return std::min(part.elements, first + r * block); };
  const auto count_of = [&](size_t r) { return begin_of(r + 1) - begin_of(r); };
  size_t widths = 0;
  for (const BlockReduction::Column& column : part.columns) widths += column.width;
  blocks_.resize(std::max(blocks_.size(), (ranks - 1) * block * widths));

  // The columns of one rank, then those of the next; a column of a block begins at a multiple of kBlockStep.
  std::vector<MPI_Request> requests;
  std::vector<const std::byte*> columns;
  std::byte* to = blocks_.data();
  for (size_t r = 0; r < ranks; ++r) {
    if (r == me) continue;
    for (const BlockReduction::Column& column : part.columns) {
      const auto mine = static_cast<int>(count_of(me) * column.width);
      PLAIT_TRY(check(MPI_Irecv(to, mine, MPI_BYTE, static_cast<int>(r), kBlockTag, comm_,
                                &requests.emplace_back(MPI_REQUEST_NULL)),
                      "exchange of blocks"));
      columns.push_back(to);
      to += block * column.width;
    }
  }
  for (size_t r = 0; r < ranks; ++r) {
    if (r == me) continue;
    for (const BlockReduction::Column& column : part.columns) {
      const auto theirs = static_cast<int>(count_of(r) * column.width);
      PLAIT_TRY(
          check(MPI_Isend(column.values + begin_of(r) * column.width, theirs, MPI_BYTE, static_cast<int>(r),
                          kBlockTag, comm_, &requests.emplace_back(MPI_REQUEST_NULL)),
                "exchange of blocks"));
    }
  }
  PLAIT_TRY(check(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
                  "exchange of blocks"));
  if (count_of(me) != 0) {
    for (size_t r = 0; r + 1 < ranks; ++r)
      part.add(begin_of(me), count_of(me),
               std::span(columns).subspan(r * part.columns.size(), part.columns.size()));
    part.finish(begin_of(me), count_of(me));
  }
  return share_results(part.columns.front(), first, block, part.elements);
}

Status MpiTransport::share_results(const BlockReduction::Column& results, size_t first, size_t block,
                                   size_t elements) {
  std::vector<int> counts, starts;
  for (size_t r = 0; r < static_cast<size_t>(size()); ++r) {
    const size_t begin = std::min(elements, first + r * block),
                 end = std::min(elements, first + (r + 1) * block);
    counts.push_back(static_cast<int>((end - begin) * results.width));
    starts.push_back(static_cast<int>((begin - first) * results.width));
  }
  return check(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_BYTE, results.values + first * results.width,
                              counts.data(), starts.data(), MPI_BYTE, comm_),
               "gather of blocks");
}

Status MpiTransport::broadcast(std::span<std::byte> bytes, int root) {
  PLAIT_TRY(meet(Kind::kBroadcast, fold(bytes.size(), static_cast<uint64_t>(root))));
  for (size_t done = 0; done < bytes.size(); done += kLargestCall) {
    const int count = static_cast<int>(std::min(kLargestCall, bytes.size() - done));
    PLAIT_TRY(check(MPI_Bcast(bytes.data() + done, count, MPI_BYTE, root, comm_), "broadcast"));
  }
  return {};
}

Status MpiTransport::barrier() { return meet(Kind::kBarrier, 0); }

Result<std::vector<Bytes>> MpiTransport::gather(std::span<const std::byte> bytes, int root) {
  PLAIT_TRY(meet(Kind::kGather, static_cast<uint64_t>(root)));
  return gather_from_all(bytes, root, false);
}

Result<std::vector<Bytes>> MpiTransport::all_gather(std::span<const std::byte> bytes) {
  PLAIT_TRY(meet(Kind::kAllGather, 0));
  return gather_from_all(bytes, 0, true);
}

Result<std::vector<Bytes>> MpiTransport::gather_from_all(std::span<const std::byte> bytes, int root,
                                                         bool to_all) {
  const auto mine = static_cast<int64_t>(bytes.size());
  std::vector<int64_t> sizes(static_cast<size_t>(size()));
  PLAIT_TRY(
      check(MPI_Allgather(&mine, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, comm_), "gather of lengths"));
  const int64_t total = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  if (total > INT_MAX)
    return Status(Code::kUnsupported, "gather: " + std::to_string(total) + " bytes, wanted at most 2 GiB");
  const std::vector<int> counts(sizes.begin(), sizes.end());
  std::vector<int> starts(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), starts.begin(), 0);
  const bool receives = to_all || rank() == root;
  Bytes all(receives ? static_cast<size_t>(total) : 0);
  const int code = to_all ? MPI_Allgatherv(bytes.data(), counts[static_cast<size_t>(rank())], MPI_BYTE,
                                           all.data(), counts.data(), starts.data(), MPI_BYTE, comm_)
                          : MPI_Gatherv(bytes.data(), counts[static_cast<size_t>(rank())], MPI_BYTE,
                                        all.data(), counts.data(), starts.data(), MPI_BYTE, root, comm_);
  PLAIT_TRY(check(code, "gather"));
  std::vector<Bytes> messages;
  for (size_t r = 0; receives && r < counts.size(); ++r)
    messages.emplace_back(all.begin() + starts[r], all.begin() + starts[r] + counts[r]);
  return messages;
}

Result<std::vector<Bytes>> MpiTransport::all_to_all(std::span<const Bytes> to) {
  PLAIT_TRY(meet(Kind::kAllToAll, 0));
  const auto ranks = static_cast<size_t>(size());
  std::vector<int> sent(ranks), received(ranks);
  for (size_t r = 0; r < ranks; ++r) sent[r] = static_cast<int>(to[r].size());
  PLAIT_TRY(check(MPI_Alltoall(sent.data(), 1, MPI_INT, received.data(), 1, MPI_INT, comm_),
                  "exchange of lengths"));
  // Each message goes from and into memory of its own: of what lies together there would be copies.
  std::vector<Bytes> messages(ranks);
  std::vector<MPI_Request> requests;
  const auto me = static_cast<size_t>(rank());
  for (size_t r = 0; r < ranks; ++r) {
    messages[r].resize(static_cast<size_t>(received[r]));
    if (r == me || received[r] == 0) continue;
    PLAIT_TRY(check(MPI_Irecv(messages[r].data(), received[r], MPI_BYTE, static_cast<int>(r), kMessageTag,
                              comm_, &requests.emplace_back(MPI_REQUEST_NULL)),
                    "exchange of messages"));
  }
  for (size_t r = 0; r < ranks; ++r) {
    if (r == me || sent[r] == 0) continue;
    PLAIT_TRY(check(MPI_Isend(to[r].data(), sent[r], MPI_BYTE, static_cast<int>(r), kMessageTag, comm_,
                              &requests.emplace_back(MPI_REQUEST_NULL)),
                    "exchange of messages"));
  }
  messages[me] = to[me];
  PLAIT_TRY(check(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
                  "exchange of messages"));
  return messages;
}

Status MpiTransport::abandon() { return meet(Kind::kAbandon, 0); }

// Failures are no matter here: a world that is lost is found to be so by the next collective.
void MpiTransport::tell_stop() {
  if (std::exchange(has_told_, true)) return;
  stop_messages_.reserve(static_cast<size_t>(size()));
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    MPI_Request& message = stop_messages_.emplace_back(MPI_REQUEST_NULL);
    MPI_Isend(nullptr, 0, MPI_BYTE, peer, kStopTag, stop_comm_, &message);
  }
}

bool MpiTransport::is_told_to_stop() {
  serve_abort();
  for (int waiting = 1; waiting != 0;) {
    MPI_Status envelope;
    if (MPI_Iprobe(MPI_ANY_SOURCE, kStopTag, stop_comm_, &waiting, &envelope) != MPI_SUCCESS) break;
    if (waiting == 0) break;
    if (MPI_Recv(nullptr, 0, MPI_BYTE, envelope.MPI_SOURCE, kStopTag, stop_comm_, MPI_STATUS_IGNORE) !=
        MPI_SUCCESS)
      break;
    is_told_ = true;
  }
  int done = 0;
  MPI_Testall(static_cast<int>(stop_messages_.size()), stop_messages_.data(), &done, MPI_STATUSES_IGNORE);
  return is_told_;
}

void MpiTransport::abort(const Status& status, int exit_status) {
  end_by_signal_after(kExitLimit_s);
  serve_abort();
  const std::string message = size() == 1 ? status.message() : place() + ": " + status.message();
  if (!is_root()) hand_to_root(message, exit_status);
  end_job(message, exit_status);
}

// Root: ends the job for a rank that asked for it, if there is one.
void MpiTransport::serve_abort() {
  if (!is_root()) return;
  int waiting = 0;
  MPI_Status envelope;
  if (MPI_Iprobe(MPI_ANY_SOURCE, kAbortTag, abort_comm_, &waiting, &envelope) != MPI_SUCCESS || waiting == 0)
    return;
  int count = 0;
  MPI_Get_count(&envelope, MPI_BYTE, &count);
  std::string text(static_cast<size_t>(count), '\0');
  if (MPI_Recv(text.data(), count, MPI_BYTE, envelope.MPI_SOURCE, kAbortTag, abort_comm_,
               MPI_STATUS_IGNORE) != MPI_SUCCESS ||
      text.empty())
    return;
  end_job(text.substr(1), static_cast<unsigned char>(text[0]));
}

// Gives rank 0 time to end the job. Comes back when it does not; ranks with higher numbers wait longer, so
// that the message of the first of them is the only one.
void MpiTransport::hand_to_root(const std::string& message, int exit_status) {
  const std::string text = static_cast<char>(exit_status) + message;
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Isend(text.data(), static_cast<int>(text.size()), MPI_BYTE, 0, kAbortTag, abort_comm_, &request) !=
      MPI_SUCCESS)
    return;
  const double patience_s = 1.0 + 0.4 * std::min(rank(), 15);
  const double start_s = MPI_Wtime();
  for (Nap nap; MPI_Wtime() - start_s < patience_s; nap.rest()) {
    int done = 0;
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  }
}

void MpiTransport::end_job(const std::string& message, int exit_status) {
  std::fputs(("plait: " + shown_message(message) + "\n").c_str(), stderr);
  std::fflush(nullptr);
  ::usleep(100'000);  // mpirun forwards the message before it begins with its own
  MPI_Abort(MPI_COMM_WORLD, exit_status);
  ::raise(SIGKILL);
  std::abort();
}

}  // namespace plait::inline cluster
