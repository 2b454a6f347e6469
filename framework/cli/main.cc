#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/shown.h"
#include "cli/command.h"
#include "cli/together.h"

namespace {

pid_t running = 0;  // this process until the command has ended; not a child of it

// A plugin or library that calls exit(0) would end a command in the middle as if all was done.
void end_early() {
  if (::getpid() != running) return;
  std::fputs("plait: a plugin or a library has ended the program by exit() before the command was done\n",
             stderr);
  std::fflush(nullptr);
  ::_exit(plait::kExitJob);
}

// The last guard for what libraries throw; over several ranks run_together comes before it.
int run(int argc, char** argv) {
  try {
    return plait::run_program(argc, argv);
  } catch (...) {
    std::fputs(("plait: " + plait::shown_message(plait::thrown_status().message()) + "\n").c_str(), stderr);
    return plait::kExitJob;
  }
}

}  // namespace

int main(int argc, char** argv) {
  running = ::getpid();
  std::atexit(end_early);
  const int status = run(argc, argv);
  running = 0;
  return status;
}
