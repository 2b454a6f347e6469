// A command that several ranks do together: how it fails, and which commands are none of these.
#pragma once
#include <functional>

#include "cli/command.h"
#include "cluster/transport.h"

namespace plait::inline cli {

// What is being thrown, in words: memory that the system has not, or what a library says.
// To be called where it is caught.
Status thrown_status();

// Runs this rank's part. Over several ranks a failure, also one that is thrown, ends them all through
// Transport::abort, and so is said once; alone it is what comes back. Threads: [one at a time], the
// transport's thread.
Result<int> run_together(Transport& transport, const std::function<Result<int>()>& command);

// Fails with: kUsage when this process was started as one of several ranks, and ranks do not share the work
// of the command: each of them would do all of it, into the same files.
Status check_ranks(const Command& command);

}  // namespace plait::inline cli
