// Plugins built with -fsanitize=address, thread or undefined, in a program that was not.
//
// A sanitizer's runtime has to be in the process before anything else, and ThreadSanitizer knows the locks of
// pthreads but not those inside oneTBB: it would take the end of a parallel loop for no end at all.
#pragma once
#include <string>
#include <vector>

#include "registry/context.h"

namespace plait::inline verify {

// The runtimes that the libraries name as needed ("libtsan.so.2"), without repetition; files that cannot be
// read name none.
std::vector<std::string> sanitizer_runtimes(const std::vector<std::string>& files);

// Settings under which a sanitizer's first report ends the process that it watches; what the user has set
// in ASAN_OPTIONS and its like is kept.
void set_sanitizer_options();

// Whether this process was started again with such a runtime.
bool is_sanitized();

// Runs a loop's pieces on `lanes` threads: oneTBB's (graph/arena.h), or threads that are begun and joined for
// the loop where a sanitizer looks on.
ParallelFor lane_loop();

// What a sanitizer says in the text that a process wrote to standard error: kind, place and function of its
// summary ("ThreadSanitizer: data race swish.cc:30 in acme::Swish::forward"). "" where it says nothing.
std::string sanitizer_report(const std::string& text);

}  // namespace plait::inline verify
