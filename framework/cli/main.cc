#include <cstdio>

#include "base/shown.h"
#include "cli/command.h"
#include "cli/early_exit.h"
#include "cli/together.h"

namespace {

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
  plait::command_begins();
  const int status = run(argc, argv);
  plait::command_ended();
  return status;
}
