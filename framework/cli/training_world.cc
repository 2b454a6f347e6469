#include "cli/training_world.h"

#include <unistd.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/plugin_lock.h"
#include "cli/together.h"
#include "cluster/open_transport.h"
#include "io/stop_signals.h"
#include "report/output.h"

namespace plait::inline cli {

Result<int> TrainingWorld::enter(const std::function<void()>& before, const TrainCommand& command) {
  // Before the ranks meet, which takes a while under mpirun: a signal to stop must not end a rank there.
  PLAIT_ASSIGN(const std::atomic<bool>* stop, watch_stop_signals());
  before();
  PLAIT_ASSIGN(auto transport, open_transport(mpi_module_path()));
  TrainingWorld world(std::move(transport), *stop);
  return run_together(world.transport(), [&] { return command(world); });
}

// What is still held may be waited for, unless somebody asks to stop.
TrainingWorld::~TrainingWorld() {
  leave_output_when([&stop = stop_] { return stop.load(); });
}

Result<int> TrainingWorld::train(const Session& session, RunOptions options, ProgressMode progress) {
  options.plugins = lock_text(*session.registry);  // on every rank: they are compared
  options.program = program_identity();
  options.leave = [this](const Status& status) { leave(status); };
  SystemClock clock;
  SystemFiles files;
  reader_may_leave();
  leave_output_when(
      [this] { return stop_.load() || transport_->wants_stop() || transport_->is_told_to_stop(); });
  const auto observer = make_progress(progress, stdout);
  const auto summary =
      run_job(*session.registry, session.job, options, *transport_, clock, files, *observer, stop_);
  if (summary) return summary->status == RunStatus::kStopped ? kExitStopped : kExitOk;
  if (summary.status().code() != Code::kStopped) return summary.status();
  say_stopped(summary.status());
  return kExitStopped;
}

void TrainingWorld::say_stopped(const Status& status) const {
  if (transport_->is_root()) std::fprintf(stderr, "plait: %s\n", status.message().c_str());
}

// Nothing is destroyed but the world of ranks: a thread is still at work with all the rest.
void TrainingWorld::leave(const Status& status) {
  if (!status) say_stopped(status);
  leave_output_when([] { return true; });
  print_now("");
  transport_.reset();
  std::fflush(nullptr);
  ::_exit(kExitStopped);
}

}  // namespace plait::inline cli
