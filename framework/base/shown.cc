#include "base/shown.h"

#include <fmt/format.h>

#include <cstdint>

namespace plait::inline base {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
  bool is_utf8 = true;
};

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Source: RFC 3629, UTF-8: shortest form alone, no surrogates, at most U+10FFFF.
Character character_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1, true};
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  const Character bad{first, 1, false};
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return bad;
  uint32_t code = first & (0xFFU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if (!continues(text[i])) return bad;
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return bad;
  return {code, bytes, true};
}

bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029 || code == 0x200B ||
         code == 0x200E || code == 0x200F || (code >= 0x2060 && code <= 0x2064);
}

bool is_good(const Character& character, Blanks allowed) {
  if (!character.is_utf8) return false;
  if (character.code == '\n') return allowed != Blanks::kNone;
  if (character.code == '\t') return allowed == Blanks::kText;
  return !is_control(character.code);
}

// Calls `good(piece)` for printable stretches and `bad(character)` for what is between them.
template <class Good, class Bad>
void split(std::string_view text, Blanks allowed, const Good& good, const Bad& bad) {
  size_t begin = 0, at = 0;
  while (at < text.size()) {
    const Character character = character_at(text.substr(at));
    if (!is_good(character, allowed)) {
      good(text.substr(begin, at - begin));
      bad(character);
      begin = at + character.bytes;
    }
    at += character.bytes;
  }
  good(text.substr(begin));
}

}  // namespace

Unprintable find_unprintable(std::string_view text, Blanks allowed) {
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text.substr(at));
    if (!character.is_utf8) return {at, 1, fmt::format("byte 0x{:02x} (not UTF-8)", character.code)};
    if (!is_good(character, allowed))
      return {at, character.bytes, fmt::format("control character U+{:04X}", character.code)};
    at += character.bytes;
  }
  return {};
}

std::string shown(std::string_view text, Blanks allowed) {
  std::string result;
  split(
      text, allowed, [&](std::string_view piece) { result += piece; },
      [&](const Character& character) {
        result += character.code < 0x80 || !character.is_utf8 ? fmt::format("\\x{:02x}", character.code)
                                                              : fmt::format("\\u{{{:04x}}}", character.code);
      });
  return result;
}

Status check_name(std::string_view name, std::string_view what) {
  const Unprintable bad = find_unprintable(name, Blanks::kNone);
  if (!bad) return {};
  return {Code::kInvalid, fmt::format("{} \"{}\": a name is printable text in UTF-8, of one line; got a {}",
                                      what, shown(name), bad.what)};
}

std::string shown_json(std::string_view json) {
  std::string result;
  split(
      json, Blanks::kText, [&](std::string_view piece) { result += piece; },
      [&](const Character& character) {
        result += character.is_utf8 ? fmt::format("\\u{:04x}", character.code) : "\xEF\xBF\xBD";
      });
  return result;
}

}  // namespace plait::inline base
