#include "cli/early_exit.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cli/command.h"

namespace plait::inline cli {
namespace {

pid_t running = 0;  // this process until the command has ended; not a child of it

void end_early() {
  if (::getpid() != running) return;
  std::fputs("plait: a plugin or a library has ended the program by exit() before the command was done\n",
             stderr);
  std::fflush(nullptr);
  ::_exit(kExitJob);
}

}  // namespace

void command_begins() {
  running = ::getpid();
  watch_exit();
}

void watch_exit() { std::atexit(end_early); }

void command_ended() { running = 0; }

}  // namespace plait::inline cli
