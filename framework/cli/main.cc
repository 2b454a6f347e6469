#include <cstdio>
#include <exception>
#include <new>

#include "base/shown.h"
#include "cli/command.h"

// The one guard for what libraries throw: nothing else in the program lets an exception reach main.
int main(int argc, char** argv) {
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
