// Loading tried in a process of its own: a library that crashes, ends the program or never comes back does so
// there, and here it is words.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline registry {

struct LoadTrial {
  enum class Outcome {
    kGood,      // `work` said true
    kRefused,   // it said false: what is wrong shows again where it is safe to look
    kCrashed,   // it ended the process, or did not come back in time: `reason` says how
    kNotTried,  // the system makes no process
  };
  Outcome outcome = Outcome::kNotTried;
  std::string reason;  // "crashes when it is loaded: SIGSEGV (Segmentation fault)"
};

// Runs `work` on each path in order in a child process; when the child ends in one, another goes on after
// it. A path may take `limit_s`. What the children print is kept from the terminal; its last line is part of
// the reason.
//
// The child is a fork that runs no other program, so that it is the very process that is about to load the
// libraries, works in every program that links a registry, and costs less than a millisecond. The price: a
// lock that another thread holds stays held in the child. The loader's and malloc's are made anew by the C
// library; of others, a plugin that waits for one in its constructors would be said not to come back. So
// programs that start threads or MPI let the libraries be tried before (try_libraries in registry.h).
// Threads: [setup only]
std::vector<LoadTrial> try_in_child(const std::vector<std::string>& paths,
                                    const std::function<bool(const std::string& path)>& work, double limit_s);

}  // namespace plait::inline registry
