#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "base/shown.h"
#include "cli/command.h"

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

// The one guard for what libraries throw: nothing else in the program lets an exception reach main.
int run(int argc, char** argv) {
  try {
    return plait::run_program(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("plait: the system has no more memory to give; `plait check FILE` tells what a job takes\n",
               stderr);
    return plait::kExitJob;
  } catch (const std::exception& e) {
    std::fputs(("plait: a library failed: " + plait::shown_message(e.what()) + "\n").c_str(), stderr);
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
