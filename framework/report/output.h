// What the program prints. A text that cannot be written stops nothing, but is not forgotten either: the
// program asks at its end.
#pragma once
#include <cstdio>
#include <string_view>

#include "base/status.h"

namespace plait {

// Names and paths in `text` may be anybody's: what is not printable is written out (shown_lines). Threads:
// [any]
void print(std::string_view text, std::FILE* stream = stdout);
// Text that moves the cursor, and holds nothing but our own.
void print_control(std::string_view text, std::FILE* stream);
// Seen at once by whoever reads.
void print_now(std::string_view text, std::FILE* stream = stdout);

// Writes out what is still held back. Fails with: kIo and the system's words for
// the first text that could not be written. Without `reader_matters` a reader that went away (a closed pipe,
// no standard output at all) is no failure. To be called once, last.
Status finish_output(bool reader_matters);

}  // namespace plait
