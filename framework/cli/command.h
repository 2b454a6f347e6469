// cli/: the `plait` program: one file per command. main.cc only calls run_program.
//
// Exit status: 0 complete, 1 an error in the job, 2 a usage error, 75 stopped but resumable.
#pragma once
#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitJob = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitStopped = 75;

// What a command does where mpirun starts several of it.
enum class Ranks {
  kNone,      // it is of one process: refused
  kTogether,  // its ranks share the work
  kEach,      // each says what it finds on its host
};

// One command of the program. `run` prints its results to standard output and returns the exit status; a
// failure it returns as a Status is printed by the caller as "plait: message".
struct Command {
  std::string name;
  std::string usage;    // after the name: "FILE [options]"
  std::string summary;  // one line
  boost::program_options::options_description options;
  // Names of options that are given without their name, in order; the last may be "files...": all words that
  // are left.
  std::vector<std::string> positional;
  Result<int> (*run)(const boost::program_options::variables_map& given);
  Ranks ranks = Ranks::kNone;
};

std::vector<Command> all_commands();
Command run_command();
Command check_command();
Command inspect_command();
Command graph_command();
Command evaluate_command();
Command predict_command();
Command verify_command();
Command new_command();
Command doctor_command();
Command fmt_command();
Command diff_command();
Command sweep_command();
Command try_command();
Command bench_command();
Command tune_command();
Command quantize_command();
Command augment_command();

// The whole program: chooses the command, parses its options, prints help and errors.
int run_program(int argc, char** argv);

// "plait 1.0.0 (ABI 1.0-draft.1)"
std::string version_text();

}  // namespace plait::inline cli
