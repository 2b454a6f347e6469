// A trace of all ranks as one file in Chrome's trace format, which Perfetto opens: a process for each rank, a
// line for each thread.
#pragma once
#include <string>

#include "base/files.h"
#include "base/status.h"
#include "base/trace.h"
#include "cluster/transport.h"

namespace plait::inline train {

// Begins the trace of this process. Rank 0 writes an empty one to `path`: what cannot be written is known
// now.
Status begin_trace(const std::string& path, const Transport& transport, Files& files);

// Ends the trace of this process and writes those of all ranks to `path`, on rank 0. All ranks call it.
// Returns what a person should know: how much was lost; "" where nothing was.
Result<std::string> write_trace(const std::string& path, Transport& transport, Files& files);

// Of a run that has failed: the empty trace that begin_trace has left would be taken for one. On rank 0.
void drop_trace(const std::string& path, const Transport& transport, Files& files);

}  // namespace plait::inline train
