// What the program prints. A text that cannot be written stops nothing, but is not forgotten either: the
// program asks at its end.
#pragma once
#include <cstdio>
#include <functional>
#include <string_view>

#include "base/status.h"

namespace plait::inline report {

// Names and paths in `text` may be anybody's: what is not printable is written out (shown_lines). Threads:
// [any]
void print(std::string_view text, std::FILE* stream = stdout);
// Text that moves the cursor, and holds nothing but our own.
void print_control(std::string_view text, std::FILE* stream);
// Seen at once by whoever reads.
void print_now(std::string_view text, std::FILE* stream = stdout);

// From now on text for a pipe or terminal whose reader does not read is held, asking `is_leaving` meanwhile:
// a second after that says yes, all that is held and all that follows is dropped, which is no failure. So who
// waits for a paused reader can still be told to stop. Empty: such a text waits as long as it takes.
// Threads: [setup only]
void leave_output_when(std::function<bool()> is_leaving);

// From now on a reader that goes away (a closed pipe, no standard output at all) is no failure: what is worth
// keeping lies in files. For commands that train.
void reader_may_leave();

// Writes out what is still held back. Fails with: kIo and the system's words for the first text that could
// not be written. To be called once, last.
Status finish_output();

}  // namespace plait::inline report
