// Signals of a write that cannot be, to a reader that has gone or a file that may not grow.
#pragma once

namespace plait::inline io {

// From now on such a write fails (EPIPE, EFBIG), and SIGPIPE or SIGXFSZ ends nothing. Programs that are begun
// have the signal as it was. Threads: [setup only]
void fail_writes_instead_of(int signal);

}  // namespace plait::inline io
