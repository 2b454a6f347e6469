// A plugin or library that calls exit(0) would end a command in the middle as if all was done: it ends with
// words, and the status of a failure.
#pragma once

namespace plait::inline cli {

// Until command_ended, in this process alone. Threads: [setup only]
void command_begins();
void command_ended();
// What libraries do at exit is done the last registered first, beside threads that go on: once they are
// loaded, this comes before them again.
void watch_exit();

}  // namespace plait::inline cli
