// Text of others (files, plugins, data, the system) made safe to be shown, stored and used as a name.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace plait::inline base {

// Where `text` first holds what has no place in it, and what that is: "byte 0xe9 is no UTF-8",
// "control character U+001B". Control characters are C0, DEL and C1, the marks that turn the direction of
// writing (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), the separators of lines U+2028,
// U+2029, and what has no width, so that two names look the same (U+00AD, U+180E, U+200B, U+2060 to U+206F,
// U+FEFF, U+FFF9 to U+FFFB, tags U+E0000 to U+E007F). Joiners (U+200C, U+200D) and selectors of variants
// (U+FE00 to U+FE0F) are letters of some scripts.
struct Unprintable {
  size_t offset = 0;  // in bytes
  size_t length = 0;  // 0: there is nothing of the kind
  std::string what;
  explicit operator bool() const { return length > 0; }
};

// What may be beside printable characters.
enum class Blanks {
  kNone,   // one line: a name
  kLines,  // \n: a message
  kText,   // \n and \t: a text, laid out by whoever wrote it
};

Unprintable find_unprintable(std::string_view text, Blanks allowed);

// Fails with: kInvalid when `name` is no printable line; `what` is whose it is: "part".
Status check_name(std::string_view name, std::string_view what);

// `text` with what find_unprintable finds written as "\x1b" (a byte) or "\u{202e}" (a character). Printable
// text is as it was.
std::string shown(std::string_view text, Blanks allowed = Blanks::kNone);

// What every message goes through on its way to a terminal or a log: lines stay. A tab came with a name or
// value of somebody's, and is as hard to see there as other control characters.
inline std::string shown_message(std::string_view text) { return shown(text, Blanks::kLines); }

// What every text that is printed goes through: lines and tabs stay.
inline std::string shown_lines(std::string_view text) { return shown(text, Blanks::kText); }

// A finished text of JSON, whose strings may hold such characters, with these written as JSON's \uXXXX, and
// bytes that are no UTF-8 as U+FFFD.
std::string shown_json(std::string_view json);

}  // namespace plait::inline base
