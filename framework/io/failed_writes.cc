#include "io/failed_writes.h"

#include <csignal>

namespace plait::inline io {

// A handler, unlike SIG_IGN, is not passed on to child programs. There is nothing to wait for and nothing to
// tell, so none of Asio's: its thread would be one too many for commands that fork.
void fail_writes_instead_of(int signal) {
  std::signal(signal, [](int) {});
}

}  // namespace plait::inline io
